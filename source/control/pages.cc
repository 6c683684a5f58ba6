#include "source/control/pages.h"

#include <prometheus/metric_family.h>

#include <cstdlib>
#include <map>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/server/metrics_text.h"
#include "source/server/process_metrics.h"
#include "source/server/version.h"

namespace egret {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Label = std::pair<std::string, std::string>;

double UnixSeconds(Hub::Time time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

class Exposition {
 public:
  void Family(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }
  // Of the family that was begun last.
  void Sample(const std::vector<Label>& labels, double value) {
    ClientMetric& metric = families_.back().metric.emplace_back();
    for (const auto& [name, text] : labels) metric.label.push_back({name, text});
    if (families_.back().type == MetricType::Counter)
      metric.counter.value = value;
    else
      metric.gauge.value = value;
  }
  void Add(MetricFamily family) { families_.push_back(std::move(family)); }
  const std::vector<MetricFamily>& families() const { return families_; }

 private:
  std::vector<MetricFamily> families_;
};

// Equal where the version, a hash in hexadecimal, is. A double holds it exactly.
double VersionNumber(const std::string& version) {
  constexpr size_t kDigits = 12;
  return static_cast<double>(std::strtoull(version.substr(0, kDigits).c_str(), nullptr, 16));
}

void AddGroups(const std::map<std::string, Hub::Group>& groups, Exposition& out) {
  out.Family("egret_control_group_valid", "Whether what is in the files of the group now is what is served.",
             MetricType::Gauge);
  for (const auto& [name, group] : groups) out.Sample({{"group", name}}, group.errors.empty() ? 1 : 0);
  out.Family("egret_control_group_refusals_total", "How often the files of the group changed and were not valid.",
             MetricType::Counter);
  for (const auto& [name, group] : groups) out.Sample({{"group", name}}, static_cast<double>(group.refused));
  out.Family("egret_control_group_published_timestamp_seconds", "When what is served to the group was published.",
             MetricType::Gauge);
  for (const auto& [name, group] : groups)
    if (group.publication) out.Sample({{"group", name}}, UnixSeconds(group.since));
  out.Family("egret_control_group_version", "What is served to the group, as a number: 48 bits of its version.",
             MetricType::Gauge);
  for (const auto& [name, group] : groups)
    if (group.publication) out.Sample({{"group", name}}, VersionNumber(group.publication->version));
  const auto add = [&](std::string name, std::string help, auto value) {
    out.Family(std::move(name), std::move(help), MetricType::Gauge);
    for (const auto& [label, group] : groups)
      if (group.next) out.Sample({{"group", label}}, value(group.progress));
  };
  add("egret_control_rollout_percent", "Of 100 proxies so many are given the group's next release.",
      [](const Hub::Progress& progress) { return progress.percent; });
  add("egret_control_rollout_halted", "1 while no more of them are.",
      [](const Hub::Progress& progress) { return progress.halted ? 1 : 0; });
}

void AddProxies(const std::map<std::string, Hub::Group>& groups, const std::vector<Proxy>& proxies, Exposition& out) {
  struct Counts {
    int connected = 0, behind = 0, refusing = 0, reporting = 0;
  };
  std::map<std::string, Counts> counts;
  for (const auto& [name, group] : groups) counts[name];
  for (const Proxy& proxy : proxies) {
    const auto group = groups.find(proxy.group);
    if (proxy.streams == 0 || group == groups.end() || !group->second.publication) continue;
    Counts& of = counts[proxy.group];
    ++of.connected;
    of.behind += proxy.version != proxy.offered ? 1 : 0;
    of.refusing += proxy.Rejections().empty() ? 0 : 1;
    of.reporting += proxy.fleet_streams > 0 ? 1 : 0;
  }
  const auto add = [&](std::string name, std::string help, int Counts::* field) {
    out.Family(std::move(name), std::move(help), MetricType::Gauge);
    for (const auto& [group, of] : counts) out.Sample({{"group", group}}, of.*field);
  };
  add("egret_control_proxies_connected", "Proxies that are connected.", &Counts::connected);
  add("egret_control_proxies_behind", "Of them, those that have not answered all that is published.", &Counts::behind);
  add("egret_control_proxies_refusing", "Of them, those that refuse something of it.", &Counts::refusing);
  add("egret_control_proxies_reporting", "Of them, those that report what they are at.", &Counts::reporting);
}

}  // namespace

// Nothing of it waits; it is a task since other pages' answers are.
Task<AdminReply> ControlPages::Answer(AdminRequest request) { co_return Reply(request); }

AdminReply ControlPages::Reply(const AdminRequest& request) const {
  if (request.path != "/ready" && request.path != "/live" && request.path != "/metrics")
    return {.status = 404, .body = "There is /ready, /live and /metrics.\n"};
  if (request.method != "GET") return {.status = 405, .body = "Only GET.\n", .allow = "GET, HEAD"};
  if (request.path == "/ready") return Ready();
  if (request.path == "/live") return {.body = "OK\n"};  // whatever there is to give
  MetricsText metrics = Metrics(request.accept);
  return {.content_type = std::move(metrics.content_type), .body = std::move(metrics.text)};
}

// Ready is who has something to give; a bad edit must not take all replicas out of service.
AdminReply ControlPages::Ready() const {
  size_t served = 0;
  std::string text;
  for (const auto& [name, group] : hub_.Look()) {
    served += group.publication ? 1 : 0;
    Append(text, name, ": ",
           !group.publication     ? "nothing valid yet"
           : group.errors.empty() ? "served"
                                  : "last good served",
           "\n");
  }
  if (served == 0) text += "no group is served\n";
  return {.status = served > 0 ? 200 : 503, .body = std::move(text)};
}

MetricsText ControlPages::Metrics(std::string_view accept) const {
  Exposition out;
  out.Family("egret_control_build_info", "Always 1; the release.", MetricType::Gauge);
  out.Sample({{"version", kVersion}}, 1);
  const auto groups = hub_.Look();
  AddGroups(groups, out);
  AddProxies(groups, roster_.Look(), out);
  const Roster::Counts counts = roster_.counts();
  out.Family("egret_control_responses_total", "Responses by what proxies said to them.", MetricType::Counter);
  out.Sample({{"verdict", "accepted"}}, static_cast<double>(counts.accepted));
  out.Sample({{"verdict", "refused"}}, static_cast<double>(counts.refused));
  for (MetricFamily& family : ProcessMetrics(started_unix_)) out.Add(std::move(family));
  return WriteMetrics(out.families(), accept);
}

}  // namespace egret
