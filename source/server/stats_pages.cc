#include "source/server/stats_pages.h"

#include <time.h>

#include <optional>
#include <set>
#include <utility>

#include "source/base/strings.h"
#include "source/server/metrics.h"
#include "source/server/metrics_text.h"
#include "source/server/page_query.h"
#include "source/server/stats_text.h"
#include "source/server/tap_pages.h"
#include "source/tls/key_log.h"

namespace egret {
namespace {

constexpr size_t kRulesTold = 1000;  // of the configuration, in order; the rest is counted together
constexpr size_t kMostFilterBytes = 1000;

std::string_view ActionOf(const config::v1::Rule& rule) {
  switch (rule.action()) {
    case config::v1::Rule::DENY:
      return "deny";
    default:
      return "allow";
  }
}

// What rules of the configuration are called in metrics: each of the first kRulesTold by its name, from the start, with
// 0 at the stage where its kind most often decides; the others "other".
class ToldRules {
 public:
  explicit ToldRules(const config::v1::Bootstrap& bootstrap) {
    for (const config::v1::EgressPolicy& policy : bootstrap.policies())
      for (const config::v1::Rule& rule : policy.rules()) {
        if (actions_.size() == kRulesTold) {
          untold_.emplace(policy.name(), rule.name());
          continue;
        }
        actions_.emplace_back(std::string(policy.name()), std::string(rule.name()), std::string(ActionOf(rule)));
      }
  }
  void AddZeros(DecisionTable& to) const {
    for (const auto& [policy, rule, action] : actions_)
      to.try_emplace({policy, rule, action, action == "deny" ? "target" : "address"}, 0);
  }
  // What rules would deny that are only audited.
  void AddZeros(const config::v1::EgressPolicy& policy, bool enforced, AuditTable& to) const {
    const auto add = [&](const std::string& rule) {
      if (Tells(policy.name(), rule)) to.try_emplace({policy.name(), rule, "would_deny"}, 0);
    };
    for (const config::v1::Rule& rule : policy.rules())
      if (ActionOf(rule) == "deny" && (!enforced || rule.mode() == config::v1::Rule::AUDIT)) add(rule.name());
    if (!enforced) add("otherwise");
  }
  bool Tells(const std::string& policy, const std::string& rule) const { return !untold_.contains({policy, rule}); }

 private:
  std::set<std::pair<std::string, std::string>> untold_;
  std::vector<std::tuple<std::string, std::string, std::string>> actions_;
};

using CountsOf = DecisionCounts& (Worker::*)();

// Of all workers, under the names of rules that are told.
Task<DecisionTable> Gather(const ServerView& server, const ToldRules& rules, CountsOf counts) {
  const std::vector<DecisionTable> tables = co_await AskWorkers<DecisionTable>(server, [counts](Worker& worker) {
    DecisionTable own;
    (worker.*counts)().ForEach([&own](const DecisionCounts::Key& key, uint64_t count) {
      own[{key.policy, key.rule, key.action, key.stage}] = count;
    });
    return own;
  });
  DecisionTable all;
  for (const DecisionTable& own : tables)
    for (const auto& [key, count] : own) {
      const auto& [policy, rule, action, stage] = key;
      if (rules.Tells(policy, rule)) {
        all[key] += count;
      } else {
        all[{"other", "other", action, stage}] += count;
      }
    }
  co_return all;
}

Task<void> CollectDecisions(const ServerView& server, MetricsInput& input) {
  const std::shared_ptr<const Configuration> now = server.now;
  const ToldRules rules(*now->bootstrap);
  input.decisions = co_await Gather(server, rules, &Worker::decisions);
  rules.AddZeros(input.decisions);
  const DecisionTable audits = co_await Gather(server, rules, &Worker::audits);
  for (const auto& [key, count] : audits) input.audits[{std::get<0>(key), std::get<1>(key), std::get<2>(key)}] += count;
  for (const config::v1::EgressPolicy& policy : now->bootstrap->policies()) {
    const bool enforced = now->policies.policy->Enforced(policy.name(), time(nullptr));
    input.policies_enforced[policy.name()] = enforced;
    rules.AddZeros(policy, enforced, input.audits);
  }
}

// Faults of the file, of the directory, of a pushed set as a whole, and resources that are kept back.
uint64_t ConfigErrors(const ServerView& server) {
  uint64_t count = server.file_errors().size();
  const auto pushed = server.pushed();
  if (pushed == nullptr) return count;
  for (const ResourceStatus& resource : pushed->resources)
    count += resource.state == ResourceState::kParked || resource.state == ResourceState::kConflict ? 1 : 0;
  return count + pushed->errors.size() + pushed->directory_errors.size();
}

Task<std::vector<prometheus::MetricFamily>> Collect(const ServerView& server) {
  MetricsInput input;
  co_await CollectDecisions(server, input);
  for (const auto& worker : server.workers) input.workers.push_back(worker.get());
  input.log = &server.log;
  input.secrets_renewed = server.secrets.renewed();
  input.secrets_failed = server.secrets.failed();
  for (const TlsExpiry& expiry : server.secrets.Expiries()) input.certificates_end[expiry.name] = expiry.not_after;
  input.key_fetches = server.key_fetches.Status();
  input.taps_open = TapsOpen(server);
  input.tls_key_log_active = KeyLog::Current() != nullptr && KeyLog::Current()->active();
  for (const auto& tap : server.now->built.taps) {
    input.tapped += tap->written();
    input.tap_dropped += tap->dropped();
  }
  input.preview_running = server.previews.running();
  const Previews::Totals& previews = server.previews.totals();
  input.previewed = previews.decisions;
  input.preview_changed = previews.changed;
  input.preview_skipped = previews.skipped;
  input.ready = TakesTraffic(server);
  input.draining = server.draining;
  input.connections_limit = server.now->bootstrap->limits().connections();
  input.config_errors = ConfigErrors(server);
  input.memory = MemoryReader().Read();
  input.started_unix = server.started_unix;
  input.pushed = server.pushed();
  input.made = server.now->made;
  co_return CollectMetrics(input);
}

}  // namespace

Task<AdminReply> StatsPrometheus(const ServerView& server, const AdminRequest& request) {
  MetricsText metrics = WriteMetrics(co_await Collect(server), request.accept);
  co_return AdminReply{200, std::move(metrics.content_type), std::move(metrics.text)};
}

Task<AdminReply> Stats(const ServerView& server, const AdminRequest& request) {
  const std::string filter = QueryValue(request.query, "filter").value_or("");
  const std::string format = QueryValue(request.query, "format").value_or("text");
  if (format != "text" && format != "json")
    co_return AdminReply{400, "text/plain; charset=utf-8",
                         "format is text or json; for Prometheus: /stats/prometheus\n"};
  std::optional<re2::RE2> wanted;
  if (!filter.empty()) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    wanted.emplace(filter, options);
    if (filter.size() > kMostFilterBytes || !wanted->ok())
      co_return AdminReply{400, "text/plain; charset=utf-8", Cat("filter: ", wanted->error(), '\n')};
  }
  const std::vector<prometheus::MetricFamily> families = co_await Collect(server);
  const re2::RE2* const shown = wanted ? &*wanted : nullptr;
  if (format == "json") co_return AdminReply{200, "application/json", StatsJson(families, shown)};
  co_return AdminReply{200, "text/plain; charset=utf-8", StatsText(families, shown)};
}

}  // namespace egret
