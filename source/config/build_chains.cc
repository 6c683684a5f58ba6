#include "source/config/build_chains.h"

#include <map>
#include <utility>
#include <vector>

#include "source/base/base64.h"
#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/chain/listener.h"
#include "source/config/authority_secret.h"
#include "source/config/build_body_rewrite.h"
#include "source/config/build_taps.h"
#include "source/config/data_source.h"
#include "source/config/duration.h"
#include "source/config/mitm_parts.h"
#include "source/config/router_tls.h"
#include "source/config/tls_secrets.h"
#include "source/filters/authority_pages.h"
#include "source/filters/connect_tunnel.h"
#include "source/filters/egress_policy.h"
#include "source/filters/forward_router.h"
#include "source/filters/header_rewrite.h"
#include "source/filters/http_connection.h"
#include "source/filters/mitm_terminator.h"
#include "source/filters/proxy_protocol.h"
#include "source/filters/rate_limit.h"
#include "source/filters/tap.h"
#include "source/filters/tcp_relay.h"
#include "source/filters/tls_inspector.h"
#include "source/filters/tls_terminator.h"

namespace egret {
namespace {

// The TLS of each tls_terminator.
using Terminators =
    std::map<const filters::network::v1::TlsTerminator*, std::shared_ptr<const Current<TlsServerContext>>>;
using NextHops = std::map<std::string, std::shared_ptr<const NextHop>, std::less<>>;

// user:password of a secret, as Proxy-Authorization carries it (RFC 7617).
Result<std::string, Problem> BasicCredential(const config::v1::Bootstrap& bootstrap, const std::string& name) {
  if (name.empty()) return std::string();
  for (const config::v1::Secret& secret : bootstrap.secrets()) {
    if (secret.name() != name) continue;
    Result<std::string, Problem> text = ReadDataSource(secret.credential());
    if (!text) return Problem{Cat("secrets.", name, ": ", text.error().text)};
    while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
    return Cat("Basic ", Base64(*text));
  }
  return std::string();
}

template <class Message>
std::optional<PolicyStack> StackOf(const Message& message) {
  std::vector<std::string> names(message.policies().begin(), message.policies().end());
  if (!message.policy().empty()) names.push_back(message.policy());
  if (names.empty()) return std::nullopt;
  return PolicyStack(std::move(names));
}

std::vector<Cidr> Ranges(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<Cidr> out;
  for (const std::string& text : texts)
    if (const auto range = Cidr::Parse(text)) out.push_back(*range);
  return out;
}

// The tunnel that connect_tunnel runs without a listener: TLS is relayed once its name agrees, clear HTTP is read
// request by request, anything else needs a rule for it.
std::shared_ptr<const ListenerChains> BuiltInTunnel(const HttpConnectionOptions& http,
                                                    const ForwardRouterOptions& router) {
  auto out = std::make_shared<ListenerChains>();
  out->name = "tunnel";
  out->listener_filters.push_back(std::make_unique<TlsInspectorFilter>(TlsInspectorOptions{}));
  out->listener_filters.push_back(std::make_unique<EgressPolicyNetworkFilter>(std::nullopt));
  FilterChain relayed;
  relayed.name = "relayed";
  relayed.match.verdict = ChainMatch::Verdict::kRelay;
  relayed.filters.push_back(std::make_unique<TcpRelayFilter>());
  FilterChain clear;
  clear.name = "clear";
  clear.match.verdict = ChainMatch::Verdict::kInspect;
  clear.match.protocol = Protocol::kHttp;
  HttpFilters inner;
  inner.push_back(std::make_unique<EgressPolicyHttpFilter>(std::nullopt));
  inner.push_back(std::make_unique<ForwardRouterFilter>(router));
  HttpConnectionOptions options = http;
  options.target = HttpConnectionOptions::Target::kTunnel;
  clear.filters.push_back(std::make_unique<HttpConnectionFilter>(std::move(options), std::move(inner)));
  out->chains.push_back(std::move(relayed));
  out->chains.push_back(std::move(clear));
  return out;
}

// What is spoken inside a chain's TLS, in order of preference.
template <class Filters>
std::vector<std::string> SpokenBy(const Filters& filters) {
  for (const config::v1::NetworkFilter& filter : filters)
    if (filter.has_http_connection() && !filter.http_connection().http2().disabled()) return {"h2", "http/1.1"};
  return {"http/1.1"};
}

class ChainBuilder {
 public:
  // What chains hold of what was made of the rest of the configuration.
  struct Parts {
    NextHops hops;
    Terminators terminators;
    RouterTls router_tls;
    MitmParts mitm;
    std::shared_ptr<const AuthorityPages> authority_pages;
    Taps taps;
  };

  ChainBuilder(const config::v1::Bootstrap& bootstrap, const ChainDefaults& defaults, Parts parts)
      : bootstrap_(bootstrap), defaults_(defaults), parts_(std::move(parts)) {}

  std::shared_ptr<const Chains> Build() const {
    auto chains = std::make_shared<Chains>();
    for (const config::v1::Listener& listener : bootstrap_.listeners())
      chains->listeners[listener.name()] = BuildListener(listener);
    return chains;
  }

 private:
  using NetworkMessages = google::protobuf::RepeatedPtrField<config::v1::NetworkFilter>;

  std::shared_ptr<const ListenerChains> BuildListener(const config::v1::Listener& listener) const {
    auto out = std::make_shared<ListenerChains>();
    out->name = listener.name();
    out->transparent = TransparentOf(listener);
    out->dial_original = listener.destination() == config::v1::Listener::ORIGINAL_IF_RESOLVED;
    AddChains(listener, *out);
    for (const config::v1::Listener& other : bootstrap_.listeners())
      if (!listener.chains_of().empty() && other.name() == listener.chains_of()) AddChains(other, *out);
    return out;
  }

  void AddChains(const config::v1::Listener& from, ListenerChains& to) const {
    for (const auto& filter : from.listener_filters()) {
      to.listener_filters.push_back(BuildNetwork(filter, from.listener_filters()));
      if (filter.has_proxy_protocol()) to.balancers = Ranges(filter.proxy_protocol().trusted_cidrs());
    }
    for (const auto& chain : from.filter_chains()) to.chains.push_back(BuildChain(chain));
    if (from.filters_size() == 0) return;
    FilterChain only;
    AddFilters(from.filters(), only);
    to.chains.push_back(std::move(only));
  }

  FilterChain BuildChain(const config::v1::FilterChain& chain) const {
    FilterChain out;
    out.name = chain.name();
    out.match = BuildMatch(chain.match());
    AddFilters(chain.filters(), out);
    return out;
  }

  void AddFilters(const NetworkMessages& filters, FilterChain& to) const {
    for (const auto& filter : filters) {
      if (filter.has_mitm_terminator()) to.decrypts = to.filters.size();
      to.filters.push_back(BuildNetwork(filter, filters));
    }
  }

  static ChainMatch BuildMatch(const config::v1::ChainMatch& match) {
    ChainMatch out;
    if (match.verdict() == config::v1::ChainMatch::RELAY) out.verdict = ChainMatch::Verdict::kRelay;
    if (match.verdict() == config::v1::ChainMatch::INSPECT) out.verdict = ChainMatch::Verdict::kInspect;
    switch (match.protocol()) {
      case config::v1::ChainMatch::TLS:
        out.protocol = Protocol::kTls;
        break;
      case config::v1::ChainMatch::HTTP:
        out.protocol = Protocol::kHttp;
        break;
      case config::v1::ChainMatch::OTHER:
        out.protocol = Protocol::kOther;
        break;
      default:
        break;
    }
    for (const std::string& name : match.server_names()) out.server_names.push_back(ToLower(name));
    out.alpn.assign(match.alpn().begin(), match.alpn().end());
    for (const uint32_t port : match.ports()) out.ports.push_back(static_cast<uint16_t>(port));
    out.sources = Ranges(match.source_cidrs());
    return out;
  }

  // Every network filter. `chain`: in which it stands.
  std::unique_ptr<const NetworkFilter> BuildNetwork(const config::v1::NetworkFilter& filter,
                                                    const NetworkMessages& chain) const {
    switch (filter.filter_case()) {
      case config::v1::NetworkFilter::kTlsTerminator:
        return BuildTlsTerminator(filter.tls_terminator());
      case config::v1::NetworkFilter::kProxyProtocol:
        return BuildProxyProtocol(filter.proxy_protocol());
      case config::v1::NetworkFilter::kTlsInspector:
        return BuildTlsInspector(filter.tls_inspector());
      case config::v1::NetworkFilter::kEgressPolicy:
        return std::make_unique<EgressPolicyNetworkFilter>(StackOf(filter.egress_policy()));
      case config::v1::NetworkFilter::kHttpConnection:
        return BuildHttpConnection(filter.http_connection());
      case config::v1::NetworkFilter::kMitmTerminator:
        return BuildMitmTerminator(filter.mitm_terminator(), chain);
      case config::v1::NetworkFilter::kTcpRelay:
        return std::make_unique<TcpRelayFilter>();
      default:
        CHECK(false && "validated");
    }
  }

  // Every HTTP filter.
  std::unique_ptr<const HttpFilter> BuildHttp(const config::v1::HttpFilter& filter,
                                              const HttpConnectionOptions& http) const {
    switch (filter.filter_case()) {
      case config::v1::HttpFilter::kEgressPolicy:
        return std::make_unique<EgressPolicyHttpFilter>(StackOf(filter.egress_policy()));
      case config::v1::HttpFilter::kRateLimit:
        return BuildRateLimit(filter.rate_limit());
      case config::v1::HttpFilter::kConnectTunnel:
        return BuildConnectTunnel(filter.connect_tunnel(), http);
      case config::v1::HttpFilter::kHeaderRewrite:
        return BuildHeaderRewrite(filter.header_rewrite());
      case config::v1::HttpFilter::kBodyRewrite:
        return BuildBodyRewrite(filter.body_rewrite());
      case config::v1::HttpFilter::kTap:
        return std::make_unique<TapFilter>(parts_.taps.at(&filter.tap()));
      case config::v1::HttpFilter::kForwardRouter:
        return std::make_unique<ForwardRouterFilter>(RouterOptions(filter.forward_router()));
      default:
        CHECK(false && "validated");
    }
  }

  std::unique_ptr<const NetworkFilter> BuildTlsTerminator(const filters::network::v1::TlsTerminator& message) const {
    TlsTerminatorOptions options;
    options.context = parts_.terminators.at(&message);
    options.plaintext_too = message.plaintext_too();
    if (message.has_handshake_timeout()) options.handshake_ms = Milliseconds(message.handshake_timeout());
    return std::make_unique<TlsTerminatorFilter>(std::move(options));
  }

  std::unique_ptr<const NetworkFilter> BuildMitmTerminator(const filters::network::v1::MitmTerminator& message,
                                                           const NetworkMessages& chain) const {
    using Message = filters::network::v1::MitmTerminator;
    using Options = MitmTerminatorOptions;
    const MitmPart& part = parts_.mitm.Of(message);
    Options options;
    options.authority = part.authority;
    options.untrusted = part.untrusted;
    options.server = part.server;
    options.origins = part.origins;
    if (message.origin() == Message::LAZY) options.origin = Options::Origin::kLazy;
    if (message.on_origin_failure() == Message::UNTRUSTED_LEAF) options.on_failure = Options::OnFailure::kUntrustedLeaf;
    if (message.on_origin_failure() == Message::ERROR_PAGE) options.on_failure = Options::OnFailure::kErrorPage;
    if (message.has_handshake_timeout()) options.handshake_ms = Milliseconds(message.handshake_timeout());
    options.spoken = SpokenBy(chain);
    for (const auto& filter : chain)
      for (const auto& inner : filter.http_connection().filters())
        if (inner.has_forward_router()) options.router = RouterOptions(inner.forward_router());
    return std::make_unique<MitmTerminatorFilter>(std::move(options));
  }

  static std::unique_ptr<const NetworkFilter> BuildProxyProtocol(const filters::network::v1::ProxyProtocol& message) {
    ProxyProtocolOptions options;
    options.trusted = Ranges(message.trusted_cidrs());
    return std::make_unique<ProxyProtocolFilter>(std::move(options));
  }

  static std::unique_ptr<const NetworkFilter> BuildTlsInspector(const filters::network::v1::TlsInspector& message) {
    TlsInspectorOptions options;
    if (message.has_timeout()) options.timeout_ms = Milliseconds(message.timeout());
    if (message.has_max_bytes()) options.max_bytes = message.max_bytes();
    return std::make_unique<TlsInspectorFilter>(options);
  }

  std::unique_ptr<const NetworkFilter> BuildHttpConnection(const filters::network::v1::HttpConnection& message) const {
    HttpConnectionOptions options;
    options.via = message.via().empty() ? defaults_.via : message.via();
    options.authority_pages = parts_.authority_pages;
    if (message.target() == filters::network::v1::HttpConnection::ABSOLUTE_FORM)
      options.target = HttpConnectionOptions::Target::kAbsoluteForm;
    if (message.target() == filters::network::v1::HttpConnection::TUNNEL)
      options.target = HttpConnectionOptions::Target::kTunnel;
    if (message.target() == filters::network::v1::HttpConnection::HOST)
      options.target = HttpConnectionOptions::Target::kHost;
    options.https_in_clear = message.https_in_clear();
    if (message.denial_detail() == filters::network::v1::HttpConnection::NONE)
      options.denial_detail = DenialDetail::kNone;
    if (message.denial_detail() == filters::network::v1::HttpConnection::FULL)
      options.denial_detail = DenialDetail::kFull;
    const auto& limits = message.limits();
    if (limits.has_header_bytes()) options.limits.head_bytes = limits.header_bytes();
    if (limits.has_header_count()) options.limits.fields = limits.header_count();
    if (limits.has_requests_per_connection()) options.max_requests = limits.requests_per_connection();
    const auto& timeouts = message.timeouts();
    if (timeouts.has_idle()) options.limits.idle_ms = Milliseconds(timeouts.idle());
    if (timeouts.has_header()) options.limits.head_ms = Milliseconds(timeouts.header());
    if (timeouts.has_body()) options.limits.body_ms = Milliseconds(timeouts.body());
    if (timeouts.has_write()) options.limits.write_ms = Milliseconds(timeouts.write());
    if (timeouts.has_request()) options.serve.total_ms = Milliseconds(timeouts.request());
    if (timeouts.has_client_fin_grace()) options.serve.client_fin_grace_ms = Milliseconds(timeouts.client_fin_grace());
    BuildHttp2(message.http2(), options);
    HttpFilters filters;
    for (const auto& filter : message.filters()) filters.push_back(BuildHttp(filter, options));
    return std::make_unique<HttpConnectionFilter>(std::move(options), std::move(filters));
  }

  static void BuildHttp2(const filters::network::v1::HttpConnection::Http2& message, HttpConnectionOptions& options) {
    using FrameRate = filters::network::v1::HttpConnection::Http2::FrameRate;
    const auto rate = [](const FrameRate& from) { return Http2Rate{from.burst(), from.per_second()}; };
    Http2Limits& limits = options.http2;
    options.serve_http2 = !message.disabled();
    if (message.has_max_concurrent_streams()) limits.streams = message.max_concurrent_streams();
    if (message.has_stream_window_bytes()) limits.stream_window = message.stream_window_bytes();
    if (message.has_connection_window_bytes())
      limits.inbox_bytes = limits.connection_window = message.connection_window_bytes();
    if (message.has_resets()) limits.resets = rate(message.resets());
    if (message.has_control_frames()) limits.control_frames = rate(message.control_frames());
    if (message.has_max_age()) limits.max_age_ms = Milliseconds(message.max_age());
  }

  static std::unique_ptr<const HttpFilter> BuildRateLimit(const filters::http::v1::RateLimit& message) {
    RateLimitOptions options;
    if (message.per() == filters::http::v1::RateLimit::DESTINATION) options.per = RateLimitOptions::Key::kDestination;
    if (message.has_requests()) {
      options.limits.rate = message.requests().rate();
      options.limits.burst = message.requests().burst();
    }
    options.limits.tunnels = message.tunnels();
    return std::make_unique<RateLimitFilter>(options);
  }

  std::unique_ptr<const HttpFilter> BuildConnectTunnel(const filters::http::v1::ConnectTunnel& message,
                                                       const HttpConnectionOptions& http) const {
    ConnectTunnelOptions options;
    options.listener = message.listener();
    options.next_hop = Hop(message.upstream());
    if (message.has_connect_timeout()) options.dial.connect_timeout_ms = Milliseconds(message.connect_timeout());
    if (message.has_idle_timeout()) options.relay.idle_ms = Milliseconds(message.idle_timeout());
    if (message.has_half_closed_timeout()) options.relay.half_closed_ms = Milliseconds(message.half_closed_timeout());
    if (message.has_max_lifetime()) options.relay.lifetime_ms = Milliseconds(message.max_lifetime());
    if (options.listener.empty()) {
      ForwardRouterOptions router;
      router.next_hop = options.next_hop;
      router.dial = options.dial;
      router.upgraded = options.relay;
      options.built_in = BuiltInTunnel(http, router);
    }
    return std::make_unique<ConnectTunnelFilter>(std::move(options));
  }

  static std::unique_ptr<const HttpFilter> BuildHeaderRewrite(const filters::http::v1::HeaderRewrite& message) {
    using Kind = HeaderOperation::Kind;
    const auto compile = [](const auto& operations) {
      std::vector<HeaderOperation> out;
      for (const auto& operation : operations) {
        if (operation.has_set()) out.push_back({Kind::kSet, operation.set().name(), operation.set().value()});
        if (operation.has_append())
          out.push_back({Kind::kAppend, operation.append().name(), operation.append().value()});
        if (operation.operation_case() == filters::http::v1::HeaderRewrite::Operation::kRemove)
          out.push_back({Kind::kRemove, operation.remove(), {}});
      }
      return out;
    };
    return std::make_unique<HeaderRewriteFilter>(compile(message.request()), compile(message.response()));
  }

  ForwardRouterOptions RouterOptions(const filters::http::v1::ForwardRouter& message) const {
    ForwardRouterOptions options;
    options.next_hop = Hop(message.upstream());
    options.tls = parts_.router_tls.Of(message);
    if (message.upstream_http2() == filters::http::v1::ForwardRouter::NEVER)
      options.http2 = ForwardRouterOptions::Http2::kNever;
    if (message.upstream_http2() == filters::http::v1::ForwardRouter::ALWAYS)
      options.http2 = ForwardRouterOptions::Http2::kAlways;
    if (message.has_connect_timeout()) options.dial.connect_timeout_ms = Milliseconds(message.connect_timeout());
    if (message.has_response_header_timeout())
      options.limits.http1.head_ms = options.limits.http2.answer_ms = Milliseconds(message.response_header_timeout());
    const auto& pool = message.pool();
    if (pool.has_max_idle_per_key()) options.limits.pool.idle_per_key = pool.max_idle_per_key();
    options.limits.pool.idle_total = std::max(options.limits.pool.idle_total, options.limits.pool.idle_per_key);
    if (pool.has_idle_timeout()) options.limits.pool.idle_ms = Milliseconds(pool.idle_timeout());
    if (pool.has_max_connections_per_key()) options.limits.pool.links_per_key = pool.max_connections_per_key();
    return options;
  }

  std::shared_ptr<const NextHop> Hop(const std::string& name) const {
    const auto at = parts_.hops.find(name);
    return at == parts_.hops.end() ? nullptr : at->second;
  }

  const config::v1::Bootstrap& bootstrap_;
  const ChainDefaults& defaults_;
  Parts parts_;
};

std::shared_ptr<const AuthorityPages> PagesOf(const Authorities& authorities) {
  AuthorityPages::Authorities all;
  for (const auto& [name, authority] : authorities) all.push_back(authority);
  return std::make_shared<const AuthorityPages>(std::move(all));
}

Result<Terminators, Problem> BuildTerminators(const config::v1::Bootstrap& bootstrap,
                                              std::vector<Renewable>& renewables) {
  Terminators out;
  std::optional<Problem> problem;
  const auto build = [&](const config::v1::Listener& listener, const auto& filters) {
    for (const config::v1::NetworkFilter& filter : filters) {
      if (problem || !filter.has_tls_terminator()) continue;
      Result<ServerTls, Problem> tls =
          MakeServerTls(bootstrap, filter.tls_terminator(), SpokenBy(filters), Cat("listener ", listener.name()));
      if (!tls) {
        problem = Problem{Cat("listener ", listener.name(), ": ", tls.error().text)};
        return;
      }
      out[&filter.tls_terminator()] = tls->context;
      renewables.push_back(std::move(tls->part));
    }
  };
  for (const config::v1::Listener& listener : bootstrap.listeners()) {
    build(listener, listener.filters());
    for (const config::v1::FilterChain& chain : listener.filter_chains()) build(listener, chain.filters());
  }
  if (problem) return *problem;
  return out;
}

Result<NextHops, Problem> BuildHops(const config::v1::Bootstrap& bootstrap, std::vector<Renewable>& renewables) {
  NextHops hops;
  for (const config::v1::Upstream& upstream : bootstrap.upstreams()) {
    const config::v1::Upstream::HttpProxy& proxy = upstream.http_proxy();
    Result<Target, Fault> target = ParseAuthority(proxy.address(), std::nullopt);
    CHECK(target.ok());  // validated
    const Result<std::string, Problem> credential = BasicCredential(bootstrap, proxy.credential());
    if (!credential) return credential.error();
    const std::string host = target->host;
    const bool remote = upstream.resolve() == config::v1::Upstream::REMOTE;
    NextHop hop{ConfiguredTarget::FromConfig(upstream.name(), std::move(*target)),
                remote ? NextHop::Resolve::kRemote : NextHop::Resolve::kLocal, *credential};
    hop.pool_key = Cat("parent ", upstream.name());
    hop.http2 = proxy.has_tls() && proxy.http2() != config::v1::Upstream::HttpProxy::NEVER;
    if (proxy.has_tls()) {
      Result<ClientTls, Problem> tls = MakeClientTls(bootstrap, proxy.tls(), host, Cat("upstream ", upstream.name()));
      if (!tls) return Problem{Cat("upstream ", upstream.name(), ": ", tls.error().text)};
      hop.tls = std::move(tls->context);
      hop.tls_name = std::move(tls->name);
      renewables.push_back(std::move(tls->part));
    }
    hops[upstream.name()] = std::make_shared<const NextHop>(std::move(hop));
  }
  return hops;
}

}  // namespace

Transparent TransparentOf(const config::v1::Listener& listener) {
  switch (listener.transparent()) {
    case config::v1::Listener::REDIRECT:
      return Transparent::kRedirect;
    case config::v1::Listener::TPROXY:
      return Transparent::kTproxy;
    default:
      return Transparent::kOff;
  }
}

Result<BuiltChains, Problem> BuildChains(const config::v1::Bootstrap& bootstrap, const ChainDefaults& defaults) {
  BuiltChains built;
  Result<NextHops, Problem> hops = BuildHops(bootstrap, built.renewables);
  if (!hops) return hops.error();
  Result<Terminators, Problem> terminators = BuildTerminators(bootstrap, built.renewables);
  if (!terminators) return terminators.error();
  Result<RouterTls, Problem> router_tls = RouterTls::Make(bootstrap, built.renewables);
  if (!router_tls) return router_tls.error();
  Result<Authorities, Problem> authorities = LoadAuthorities(bootstrap, built.renewables);
  if (!authorities) return authorities.error();
  Result<MitmParts, Problem> mitm_parts = MitmParts::Make(bootstrap, *authorities, built.renewables);
  if (!mitm_parts) return mitm_parts.error();
  // Last: nothing fails from here on, and what is opened is meant to be used.
  Taps taps = BuildTaps(bootstrap, defaults.version);
  for (const auto& [message, file] : taps) built.taps.push_back(file);
  const ChainBuilder builder(bootstrap, defaults,
                             {std::move(*hops), std::move(*terminators), std::move(*router_tls), std::move(*mitm_parts),
                              PagesOf(*authorities), std::move(taps)});
  built.chains = builder.Build();
  return built;
}

}  // namespace egret
