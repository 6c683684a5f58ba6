#include "source/server/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "source/base/strings.h"
#include "source/server/process_metrics.h"
#include "source/server/version.h"
#include "source/tls/leaf_cache.h"
#include "source/tls/tls_facts.h"

namespace egret {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kStatusClasses[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

class Exposition {
 public:
  explicit Exposition(const MetricsInput& input) : input_(input) {}

  MetricFamily& Family(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
    return families_.back();
  }
  static ClientMetric& Sample(MetricFamily& family, const Labels& labels) {
    ClientMetric& metric = family.metric.emplace_back();
    for (const auto& [name, value] : labels) metric.label.push_back({name, value});
    return metric;
  }
  static void Add(MetricFamily& family, const Labels& labels, double value) {
    ClientMetric& metric = Sample(family, labels);
    if (family.type == MetricType::Counter) metric.counter.value = value;
    if (family.type == MetricType::Gauge) metric.gauge.value = value;
  }
  void Add(MetricFamily family) { families_.push_back(std::move(family)); }
  // One sample without labels.
  void One(std::string name, std::string help, MetricType type, double value) {
    Add(Family(std::move(name), std::move(help), type), {}, value);
  }
  // The sum over all workers of what `read` gives.
  template <class Read>
  double Sum(const Read& read) const {
    double sum = 0;
    for (const WorkerThread* worker : input_.workers) sum += static_cast<double>(read(*worker));
    return sum;
  }
  void Counter(std::string name, std::string help, const std::function<uint64_t(const WorkerThread&)>& read) {
    One(std::move(name), std::move(help), MetricType::Counter, Sum(read));
  }
  void Gauge(std::string name, std::string help, const std::function<int64_t(const WorkerThread&)>& read) {
    One(std::move(name), std::move(help), MetricType::Gauge, Sum(read));
  }
  void Histogram(std::string name, std::string help, DurationHistogram WorkerCounters::* histogram) {
    Buckets(std::move(name), std::move(help), histogram, DurationHistogram::kBoundsMs, 1000,
            [](const DurationHistogram& of) { return of.SumMs(); });
  }
  void Histogram(std::string name, std::string help, SizeHistogram WorkerCounters::* histogram) {
    Buckets(std::move(name), std::move(help), histogram, SizeHistogram::kBounds, 1,
            [](const SizeHistogram& of) { return of.Sum(); });
  }

  const MetricsInput& input() const { return input_; }
  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  template <class Kind, class Bounds, class ReadSum>
  void Buckets(std::string name, std::string help, Kind WorkerCounters::* histogram, const Bounds& bounds, double unit,
               ReadSum read_sum) {
    ClientMetric& metric = Sample(Family(std::move(name), std::move(help), MetricType::Histogram), {});
    uint64_t cumulative = 0;
    for (size_t i = 0; i <= bounds.size(); ++i) {
      cumulative +=
          static_cast<uint64_t>(Sum([&](const WorkerThread& w) { return (w.counters().*histogram).Bucket(i); }));
      const bool last = i == bounds.size();
      metric.histogram.bucket.push_back(
          {cumulative, last ? std::numeric_limits<double>::infinity() : static_cast<double>(bounds[i]) / unit});
    }
    metric.histogram.sample_count = cumulative;
    metric.histogram.sample_sum = Sum([&](const WorkerThread& w) { return read_sum(w.counters().*histogram); }) / unit;
  }

  const MetricsInput& input_;
  std::vector<MetricFamily> families_;
};

void Traffic(Exposition& out) {
  out.Counter("egret_client_connections_total", "Connections accepted from clients.",
              [](const WorkerThread& w) { return w.counters().connections.Read(); });
  out.Gauge("egret_client_connections_active", "Connections of clients that are open.",
            [](const WorkerThread& w) { return w.counters().connections_active.Read(); });
  out.One("egret_client_connections_limit", "Most connections of clients (limits.connections); 0: no limit.",
          MetricType::Gauge, static_cast<double>(out.input().connections_limit));
  out.Counter("egret_accept_pauses_total", "Times that accepting rested because descriptors or memory had run out.",
              [](const WorkerThread& w) { return w.accept_counters().pauses.Read(); });
  out.Counter("egret_accept_queue_drops_total",
              "Connections that the kernel dropped because a listener's queue was full.",
              [](const WorkerThread& w) { return w.accept_counters().queue_drops.Read(); });
  out.Counter("egret_requests_total", "Requests received, CONNECT among them.",
              [](const WorkerThread& w) { return w.counters().requests.Read(); });
  out.Gauge("egret_requests_active", "Requests that have no complete response yet.",
            [](const WorkerThread& w) { return w.counters().exchanges_active.Read(); });
  MetricFamily& responses =
      out.Family("egret_responses_total", "Requests that ended, by class of the status; none: nothing was sent.",
                 MetricType::Counter);
  for (size_t i = 0; i < std::size(kStatusClasses); ++i)
    Exposition::Add(responses, {{"class", kStatusClasses[i]}},
                    out.Sum([i](const WorkerThread& w) { return w.counters().responses[i].Read(); }));
  out.Counter("egret_tunnels_total",
              "Tunnels that were opened: CONNECT answered with 200, or a switch of protocols (101).",
              [](const WorkerThread& w) { return w.counters().tunnels.Read(); });
  out.Gauge("egret_tunnels_active", "Tunnels that are open.",
            [](const WorkerThread& w) { return w.counters().tunnels_active.Read(); });
  out.Counter("egret_client_received_bytes_total", "Bytes received from clients in exchanges and tunnels that ended.",
              [](const WorkerThread& w) { return w.counters().received_bytes.Read(); });
  out.Counter("egret_client_sent_bytes_total", "Bytes sent to clients in exchanges and tunnels that ended.",
              [](const WorkerThread& w) { return w.counters().sent_bytes.Read(); });
  out.Counter("egret_tunnel_credentials_stripped_total",
              "Requests inside tunnels that carried Proxy-Authorization; it was taken off.",
              [](const WorkerThread& w) { return w.counters().spurious_proxy_authorization.Read(); });
  out.Histogram("egret_request_duration_seconds", "From a request's head to the end of its response.",
                &WorkerCounters::request_duration);
  out.Histogram("egret_request_size_bytes", "Size of requests on the wire, head and body.",
                &WorkerCounters::request_size);
  out.Histogram("egret_response_size_bytes", "Size of responses on the wire, head and body.",
                &WorkerCounters::response_size);
  out.Histogram("egret_tunnel_duration_seconds", "From a CONNECT's head to the end of its tunnel.",
                &WorkerCounters::tunnel_duration);
}

void Failures(Exposition& out) {
  MetricFamily& failures =
      out.Family("egret_failures_total",
                 "Exchanges and tunnels that failed or were refused, by detail as in the access log; "
                 "credential_misplaced is worth an alarm.",
                 MetricType::Counter);
  for (size_t i = 1; i < static_cast<size_t>(Fault::kCount); ++i)
    Exposition::Add(failures, {{"detail", std::string(TextOf(static_cast<Fault>(i)).detail)}},
                    out.Sum([i](const WorkerThread& w) { return w.counters().failures[i].Read(); }));
}

void Policies(Exposition& out) {
  MetricFamily& decisions =
      out.Family("egret_policy_decisions_total", "Decisions by the rule that is named for them.", MetricType::Counter);
  for (const auto& [key, count] : out.input().decisions)
    Exposition::Add(decisions,
                    {{"policy", std::get<0>(key)},
                     {"rule", std::get<1>(key)},
                     {"action", std::get<2>(key)},
                     {"stage", std::get<3>(key)}},
                    static_cast<double>(count));
  MetricFamily& audits =
      out.Family("egret_policy_audits_total",
                 "Decisions that a policy which is only audited would have made otherwise.", MetricType::Counter);
  for (const auto& [key, count] : out.input().audits)
    Exposition::Add(audits, {{"policy", std::get<0>(key)}, {"rule", std::get<1>(key)}, {"result", std::get<2>(key)}},
                    static_cast<double>(count));
  MetricFamily& enforced =
      out.Family("egret_policy_enforced", "1 where a policy decides, 0 while it is only audited.", MetricType::Gauge);
  for (const auto& [name, yes] : out.input().policies_enforced)
    Exposition::Add(enforced, {{"policy", name}}, yes ? 1 : 0);
}

void Upstreams(Exposition& out) {
  out.Counter("egret_upstream_connections_total", "Connections made to origins and parent proxies.",
              [](const WorkerThread& w) { return w.counters().upstream_connections.Read(); });
  out.Counter("egret_upstream_reused_total", "Requests that were sent on a pooled connection.",
              [](const WorkerThread& w) { return w.counters().upstream_reused.Read(); });
  out.Gauge("egret_upstream_pool_idle", "Pooled connections that are idle.",
            [](const WorkerThread& w) { return w.pool().idle().Read(); });
  out.Gauge("egret_upstream_pool_connections", "Pooled connections, idle and in use.",
            [](const WorkerThread& w) { return w.pool().links().Read(); });
  out.Histogram("egret_upstream_connect_duration_seconds", "Time to connect to an origin or parent proxy.",
                &WorkerCounters::connect_duration);
  out.Counter("egret_dns_queries_total", "Names that were asked of the name servers.",
              [](const WorkerThread& w) { return w.resolver_counters().queries.Read(); });
  out.Counter("egret_dns_cache_hits_total", "Names that the cache knew.",
              [](const WorkerThread& w) { return w.resolver_counters().cache_hits.Read(); });
  out.Counter("egret_dns_failures_total", "Names that gave no address, timeouts among them.",
              [](const WorkerThread& w) { return w.resolver_counters().failures.Read(); });
  out.Counter("egret_dns_timeouts_total", "Names that gave no answer in time.",
              [](const WorkerThread& w) { return w.resolver_counters().timeouts.Read(); });
  out.Histogram("egret_dns_duration_seconds", "Time to resolve a name, cached or not.", &WorkerCounters::dns_duration);
}

void Tls(Exposition& out) {
  constexpr std::pair<const char*, TlsCounters WorkerCounters::*> kSides[] = {
      {"client", &WorkerCounters::client_tls},
      {"upstream", &WorkerCounters::upstream_tls},
      {"inside", &WorkerCounters::inside_tls}};
  MetricFamily& handshakes =
      out.Family("egret_tls_handshakes_total", "TLS handshakes by how they ended.", MetricType::Counter);
  for (const auto& [side, counters] : kSides)
    for (size_t i = 0; i < static_cast<size_t>(TlsResult::kCount); ++i)
      Exposition::Add(
          handshakes, {{"side", side}, {"result", std::string(NameOf(static_cast<TlsResult>(i)))}},
          out.Sum([i, at = counters](const WorkerThread& w) { return (w.counters().*at).results[i].Read(); }));
  MetricFamily& versions =
      out.Family("egret_tls_versions_total", "TLS handshakes that went well, by version.", MetricType::Counter);
  for (const auto& [side, counters] : kSides) {
    Exposition::Add(versions, {{"side", side}, {"version", "TLSv1.2"}},
                    out.Sum([at = counters](const WorkerThread& w) { return (w.counters().*at).tls12.Read(); }));
    Exposition::Add(versions, {{"side", side}, {"version", "TLSv1.3"}},
                    out.Sum([at = counters](const WorkerThread& w) { return (w.counters().*at).tls13.Read(); }));
  }
  MetricFamily& resumed =
      out.Family("egret_tls_resumed_total", "TLS handshakes that resumed an earlier session.", MetricType::Counter);
  for (const auto& [side, counters] : kSides)
    Exposition::Add(resumed, {{"side", side}},
                    out.Sum([at = counters](const WorkerThread& w) { return (w.counters().*at).resumed.Read(); }));
  MetricFamily& staples = out.Family(
      "egret_ocsp_staples_total", "OCSP responses in full handshakes with origins and parents.", MetricType::Counter);
  for (size_t i = static_cast<size_t>(OcspStaple::kNone); i < static_cast<size_t>(OcspStaple::kCount); ++i)
    Exposition::Add(staples, {{"result", std::string(NameOf(static_cast<OcspStaple>(i)))}},
                    out.Sum([i](const WorkerThread& w) { return w.counters().ocsp_staples[i].Read(); }));
  out.One("egret_tls_key_log_active", "1 while the secrets of TLS connections are written to a file.",
          MetricType::Gauge, out.input().tls_key_log_active ? 1 : 0);
  MetricFamily& renewals = out.Family("egret_secret_reloads_total",
                                      "Times that certificates, keys and trust were read again.", MetricType::Counter);
  Exposition::Add(renewals, {{"result", "ok"}}, static_cast<double>(out.input().secrets_renewed));
  Exposition::Add(renewals, {{"result", "failed"}}, static_cast<double>(out.input().secrets_failed));
  MetricFamily& ends = out.Family("egret_certificate_not_after_seconds",
                                  "When a certificate of ours ends, in seconds since 1970.", MetricType::Gauge);
  for (const auto& [name, end] : out.input().certificates_end)
    Exposition::Add(ends, {{"secret", name}}, static_cast<double>(end));
}

void Inspection(Exposition& out) {
  using Counters = LeafCache::Counters;
  constexpr std::pair<const char*, egret::Counter Counters::*> kResults[] = {{"cached", &Counters::cached},
                                                                             {"minted", &Counters::minted},
                                                                             {"waited", &Counters::waited},
                                                                             {"failed", &Counters::failed}};
  MetricFamily& leaves = out.Family("egret_leaves_total", "Certificates that handshakes in tunnels needed, by result.",
                                    MetricType::Counter);
  for (const auto& [result, counter] : kResults)
    Exposition::Add(leaves, {{"result", result}},
                    out.Sum([at = counter](const WorkerThread& w) { return (w.leaf_counters().*at).Read(); }));
  out.Gauge("egret_leaves_cached", "Minted certificates that are kept.",
            [](const WorkerThread& w) { return w.leaf_counters().leaves.Read(); });
  MetricFamily& refusals = out.Family("egret_leaf_refusals_total", "Clients that did not believe a minted certificate.",
                                      MetricType::Counter);
  for (size_t i = 0; i < static_cast<size_t>(LeafRefusal::kCount); ++i) {
    const auto how = static_cast<LeafRefusal>(i);
    Exposition::Add(refusals, {{"reason", std::string(NameOf(how))}}, out.Sum([how](const WorkerThread& w) {
      return w.counters().leaf_refusals[static_cast<size_t>(how)].Read();
    }));
  }
  out.Histogram("egret_inspect_duration_seconds",
                "From the decision to inspect a tunnel until its client's TLS handshake was done.",
                &WorkerCounters::inspect_duration);
}

// Limits that are hit are failures of their own for the most part.
void Limits(Exposition& out) {
  MetricFamily& hits = out.Family(
      "egret_limit_hits_total", "Times that a limit of the configuration was reached, by limit.", MetricType::Counter);
  const auto add = [&](std::string_view limit, const auto& read) {
    Exposition::Add(hits, {{"limit", std::string(limit)}}, out.Sum(read));
  };
  for (size_t i = 0; i < static_cast<size_t>(Limit::kCount); ++i)
    add(NameOf(static_cast<Limit>(i)),
        [i](const WorkerThread& w) { return w.counters().limit_hits.Read(static_cast<Limit>(i)); });
  constexpr std::pair<std::string_view, Fault> kByFault[] = {
      {"header_bytes", Fault::kHttpHeaderTooLarge},
      {"header_count", Fault::kHttpTooManyFields},
      {"header_timeout", Fault::kClientTimeoutHeader},
      {"body_timeout", Fault::kClientTimeoutBody},
      {"write_timeout", Fault::kClientTimeoutWrite},
      {"request_timeout", Fault::kTotalTimeout},
      {"idle_timeout", Fault::kIdleTimeout},
      {"half_closed_timeout", Fault::kHalfClosedTimeout},
      {"max_lifetime", Fault::kLifetime},
      {"tunnel_depth", Fault::kDepth},
      {"dns_timeout", Fault::kDnsTimeout},
      {"connect_timeout", Fault::kConnectTimeout},
      {"tls_handshake_timeout", Fault::kTlsTimeout},
      {"response_header_timeout", Fault::kUpstreamTimeoutHeader},
      {"response_header_bytes", Fault::kUpstreamHeaderTooLarge},
      {"response_interim", Fault::kUpstreamTooManyInterim},
      {"pool_connections", Fault::kPoolLimit},
      {"descriptors", Fault::kDescriptorsExhausted},
      {"memory", Fault::kOverload},
  };
  for (const auto& [limit, fault] : kByFault)
    add(limit, [at = static_cast<size_t>(fault)](const WorkerThread& w) { return w.counters().failures[at].Read(); });
  // Of HTTP/2 connections to origins and parents, which open no streams of their own.
  for (int i = static_cast<int>(Http2Limit::kResets); i < static_cast<int>(Http2Limit::kCount); ++i) {
    const auto name = NameOf(static_cast<Limit>(static_cast<int>(Limit::kHttp2Streams) + i));
    add(Cat("upstream_", name),
        [i](const WorkerThread& w) { return w.pool().http2_hits().Read(static_cast<Http2Limit>(i)); });
  }
  add("accept_descriptors", [](const WorkerThread& w) { return w.accept_counters().pauses.Read(); });
  add("pool_idle", [](const WorkerThread& w) { return w.pool().turned_away().Read(); });
  add("dns_cache", [](const WorkerThread& w) { return w.resolver_counters().evictions.Read(); });
  add("dns_queries", [](const WorkerThread& w) { return w.resolver_counters().overloads.Read(); });
  add("large_buffers", [](const WorkerThread& w) { return w.large_buffers_refused().Read(); });
}

void Overloads(Exposition& out) {
  int64_t level = 0;
  for (const WorkerThread* worker : out.input().workers)
    level = std::max(level, worker->counters().overload_level.Read());
  out.One("egret_overload_state", "How scarce memory is: 0 plenty, 1 soft threshold, 2 hard threshold.",
          MetricType::Gauge, static_cast<double>(level));
  MetricFamily& actions =
      out.Family("egret_overload_actions_total", "What was done because memory was scarce.", MetricType::Counter);
  for (size_t i = 0; i < static_cast<size_t>(OverloadAction::kCount); ++i) {
    const auto action = static_cast<OverloadAction>(i);
    Exposition::Add(actions, {{"action", std::string(NameOf(action))}},
                    out.Sum([action](const WorkerThread& w) { return w.counters().overload_actions.Read(action); }));
  }
}

void Rewrites(Exposition& out) {
  MetricFamily& rewrites = out.Family("egret_body_rewrites_total",
                                      "Contents that body_rewrite is for, by how it fared.", MetricType::Counter);
  for (size_t i = 0; i < static_cast<size_t>(BodyRewrite::kCount); ++i) {
    const auto outcome = static_cast<BodyRewrite>(i);
    Exposition::Add(rewrites, {{"outcome", std::string(NameOf(outcome))}},
                    out.Sum([outcome](const WorkerThread& w) { return w.counters().body_rewrites.Read(outcome); }));
  }
}

void Authentication(Exposition& out) {
  MetricFamily& accepted =
      out.Family("egret_auth_accepted_total", "Requests that proxy_auth let through, by what they were known.",
                 MetricType::Counter);
  for (size_t i = 0; i < static_cast<size_t>(AuthBy::kCount); ++i)
    Exposition::Add(accepted, {{"method", std::string(NameOf(static_cast<AuthBy>(i)))}},
                    out.Sum([i](const WorkerThread& w) { return w.counters().auth.accepted[i].Read(); }));
  MetricFamily& refused =
      out.Family("egret_auth_refused_total", "Requests that proxy_auth refused, by reason.", MetricType::Counter);
  for (size_t i = 0; i < static_cast<size_t>(AuthRefusal::kCount); ++i)
    Exposition::Add(refused, {{"reason", std::string(NameOf(static_cast<AuthRefusal>(i)))}},
                    out.Sum([i](const WorkerThread& w) { return w.counters().auth.refused[i].Read(); }));
}

// By URL without its query, which several may differ by.
void KeysOfIssuers(Exposition& out) {
  std::map<std::string, KeyFetchStatus> by_url;
  for (const KeyFetchStatus& one : out.input().key_fetches) {
    const auto [at, is_new] = by_url.emplace(one.url, one);
    if (is_new) continue;
    KeyFetchStatus& all = at->second;
    all.fetched += one.fetched;
    all.failed += one.failed;
    all.fetched_unix = std::min(all.fetched_unix, one.fetched_unix);
  }
  MetricFamily& fetches =
      out.Family("egret_jwks_fetches_total", "Times that the keys of an issuer were fetched.", MetricType::Counter);
  for (const auto& [url, all] : by_url) {
    Exposition::Add(fetches, {{"url", url}, {"result", "ok"}}, static_cast<double>(all.fetched));
    Exposition::Add(fetches, {{"url", url}, {"result", "failed"}}, static_cast<double>(all.failed));
  }
  MetricFamily& times =
      out.Family("egret_jwks_fetched_timestamp_seconds",
                 "When the keys of an issuer were fetched last, in seconds since 1970; 0: never.", MetricType::Gauge);
  for (const auto& [url, all] : by_url) Exposition::Add(times, {{"url", url}}, static_cast<double>(all.fetched_unix));
}

void OutsideAuthorization(Exposition& out) {
  MetricFamily& results =
      out.Family("egret_ext_authz_total", "Requests that an authorization service was asked about, by what came of it.",
                 MetricType::Counter);
  for (size_t i = 0; i < static_cast<size_t>(AuthzResult::kCount); ++i)
    Exposition::Add(results, {{"result", std::string(NameOf(static_cast<AuthzResult>(i)))}},
                    out.Sum([i](const WorkerThread& w) { return w.counters().ext_authz[i].Read(); }));
  out.Histogram("egret_ext_authz_duration_seconds", "From asking an authorization service until its answer was there.",
                &WorkerCounters::ext_authz_duration);
}

void Taps(Exposition& out) {
  out.One("egret_taps_open", "Files that exchanges are captured into now.", MetricType::Gauge,
          static_cast<double>(out.input().taps_open));
  MetricFamily& exchanges = out.Family("egret_tap_exchanges_total",
                                       "Exchanges that were captured, by what became of them.", MetricType::Counter);
  Exposition::Add(exchanges, {{"result", "written"}}, static_cast<double>(out.input().tapped));
  Exposition::Add(exchanges, {{"result", "dropped"}}, static_cast<double>(out.input().tap_dropped));
}

void Workers(Exposition& out) {
  MetricFamily& open =
      out.Family("egret_worker_connections", "Connections of clients that are open, by worker.", MetricType::Gauge);
  const auto& workers = out.input().workers;
  for (size_t i = 0; i < workers.size(); ++i)
    Exposition::Add(open, {{"worker", Cat(i)}}, static_cast<double>(workers[i]->counters().connections_active.Read()));
  MetricFamily& asked = out.Family("egret_worker_requests_total", "Requests received, CONNECT among them, by worker.",
                                   MetricType::Counter);
  for (size_t i = 0; i < workers.size(); ++i)
    Exposition::Add(asked, {{"worker", Cat(i)}}, static_cast<double>(workers[i]->counters().requests.Read()));
  out.Counter("egret_handed_over_connections_total", "Connections that a worker gave to one with less to carry.",
              [](const WorkerThread& w) { return w.counters().handed_over.Read(); });
}

// What the configurations so far have cost.
void Compiled(Exposition& out) {
  MetricFamily& made = out.Family(
      "egret_config_compiled_total",
      "Resources that were compiled: the first ones, and those that changed or refer to such.", MetricType::Counter);
  const MadeCounts& counts = out.input().made;
  Exposition::Add(made, {{"type", "Listener"}}, static_cast<double>(counts.listeners));
  Exposition::Add(made, {{"type", "EgressPolicy"}}, static_cast<double>(counts.policies));
  Exposition::Add(made, {{"type", "DomainSet"}}, static_cast<double>(counts.domain_sets));
}

void WantedConfiguration(Exposition& out) {
  out.One("egret_config_errors", "What is wrong with what should be in force and is not; /config_status has it.",
          MetricType::Gauge, static_cast<double>(out.input().config_errors));
}

// What a control plane, or a directory, has to say.
void Pushed(Exposition& out) {
  if (out.input().pushed == nullptr) return;
  const PushStatus& pushed = *out.input().pushed;
  const auto one = [&out](const char* name, const char* help, MetricType type, auto value) {
    out.One(name, help, type, static_cast<double>(value));
  };
  one("egret_xds_connected", "1 while the control plane answers.", MetricType::Gauge, pushed.connected ? 1 : 0);
  one("egret_xds_attempts_total", "Attempts to reach a control plane.", MetricType::Counter, pushed.attempts);
  one("egret_xds_streams_total", "Attempts that it answered.", MetricType::Counter, pushed.streams);
  one("egret_xds_responses_total", "Responses that it sent.", MetricType::Counter, pushed.responses);
  one("egret_xds_accepted_total", "Responses that were taken whole (ACK).", MetricType::Counter, pushed.accepted);
  MetricFamily& rejected =
      out.Family("egret_xds_rejected_total", "Responses that were refused (NACK), by type.", MetricType::Counter);
  std::map<std::string, uint64_t> by_type = {{"Listener", 0}, {"EgressPolicy", 0}, {"DomainSet", 0},
                                             {"Upstream", 0}, {"Secret", 0},       {"WorkloadSet", 0}};
  for (const auto& [type, count] : pushed.rejected) by_type[type.substr(type.rfind('.') + 1)] += count;
  for (const auto& [type, count] : by_type) Exposition::Add(rejected, {{"type", type}}, static_cast<double>(count));
  one("egret_xds_unknown_fields_total", "Fields of resources that this release does not know, and left out.",
      MetricType::Counter, pushed.unknown_fields);
  one("egret_xds_missing_references", "Resources that are referred to and were not sent.", MetricType::Gauge,
      pushed.missing);
  one("egret_xds_last_good_timestamp_seconds", "When the control plane last sent what was taken whole; 0: never.",
      MetricType::Gauge, static_cast<double>(pushed.last_good_unix_ms) / 1000);
  one("egret_config_applied_total", "Configurations that were put in force.", MetricType::Counter, pushed.applied);
  one("egret_directory_reloads_total", "Times that the directory was read, and taken.", MetricType::Counter,
      pushed.directory_reloads);
  MetricFamily& source =
      out.Family("egret_config_source", "1 for where what is in force came from.", MetricType::Gauge);
  for (const ConfigSource each :
       {ConfigSource::kBootstrap, ConfigSource::kDirectory, ConfigSource::kLastGood, ConfigSource::kXds})
    Exposition::Add(source, {{"source", std::string(NameOf(each))}}, pushed.source == each ? 1 : 0);
}

void Previewed(Exposition& out) {
  const MetricsInput& input = out.input();
  out.One("egret_preview_active", "1 while a candidate policy is previewed.", MetricType::Gauge,
          input.preview_running ? 1 : 0);
  MetricFamily& decisions =
      out.Family("egret_preview_decisions_total",
                 "Decisions while a candidate policy was previewed, by what it says to them.", MetricType::Counter);
  const uint64_t same = input.previewed - std::min(input.previewed, input.preview_changed);
  for (const auto& [result, count] : {std::pair("same", same), std::pair("changed", input.preview_changed),
                                      std::pair("skipped", input.preview_skipped)})
    Exposition::Add(decisions, {{"result", result}}, static_cast<double>(count));
}

void Process(Exposition& out) {
  const MetricsInput& input = out.input();
  Exposition::Add(out.Family("egret_build_info", "Version of this binary.", MetricType::Gauge), {{"version", kVersion}},
                  1);
  out.One("egret_workers", "Threads that carry traffic.", MetricType::Gauge, static_cast<double>(input.workers.size()));
  out.One("egret_ready", "1 while /ready says that it takes traffic.", MetricType::Gauge, input.ready ? 1 : 0);
  out.One("egret_draining", "1 while the proxy winds down.", MetricType::Gauge, input.draining ? 1 : 0);
  if (input.log != nullptr)
    out.One("egret_access_log_dropped_total", "Lines of the access log that were lost.", MetricType::Counter,
            static_cast<double>(input.log->dropped()));
  if (input.memory) {
    out.One("egret_memory_used_bytes", "Memory that counts against the limit, without what could be dropped.",
            MetricType::Gauge, static_cast<double>(input.memory->used_bytes));
    out.One("egret_memory_limit_bytes", "Memory that the control group grants, or that the machine has; 0: unknown.",
            MetricType::Gauge, static_cast<double>(input.memory->limit_bytes));
  }
  for (MetricFamily& family : ProcessMetrics(input.started_unix)) out.Add(std::move(family));
}

}  // namespace

std::vector<MetricFamily> CollectMetrics(const MetricsInput& input) {
  Exposition out(input);
  Traffic(out);
  Failures(out);
  Policies(out);
  Upstreams(out);
  Tls(out);
  Inspection(out);
  Limits(out);
  Overloads(out);
  Rewrites(out);
  Authentication(out);
  KeysOfIssuers(out);
  OutsideAuthorization(out);
  Taps(out);
  Workers(out);
  Compiled(out);
  WantedConfiguration(out);
  Pushed(out);
  Previewed(out);
  Process(out);
  return out.Take();
}

}  // namespace egret
