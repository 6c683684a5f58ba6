#include "source/control/roster.h"

#include <algorithm>
#include <utility>

namespace egret {
namespace {

Proxy::Time Now() { return std::chrono::system_clock::now(); }

bool IsOver(const Refusal& refusal, const Verdict& verdict) {
  if (refusal.type_url != verdict.type_url) return false;
  const std::string& name = refusal.rejection.name();
  const auto judged = [&](const auto& one) { return verdict.versions.contains(one.first); };
  return refusal.response->contains(name) ? verdict.versions.contains(name)
                                          : std::any_of(refusal.response->begin(), refusal.response->end(), judged);
}

bool IsTrouble(const control::v1::ResourceStatus& status) {
  using control::v1::ResourceStatus;
  return status.state() == ResourceStatus::PARKED || status.state() == ResourceStatus::MISSING ||
         status.state() == ResourceStatus::CONFLICT || status.state() == ResourceStatus::WARMING;
}

void TakeResources(const control::v1::Report& report, Proxy& proxy) {
  for (const control::v1::ResourceStatus& status : report.resources()) {
    const Proxy::Name name(status.type_url(), status.name());
    std::erase_if(proxy.refusals, [&](const Refusal& refusal) {
      return refusal.rejection.type_url() == name.first && refusal.rejection.name() == name.second;
    });
    proxy.troubles.erase(name);
    if (!IsTrouble(status) || proxy.troubles.size() >= Roster::kMostRefusals) continue;
    proxy.troubles[name] = status;
  }
  std::erase_if(proxy.refusals, [](Refusal& refusal) { return ++refusal.reports > 1; });
}

}  // namespace

std::vector<control::v1::Rejection> Proxy::Rejections() const {
  std::vector<control::v1::Rejection> all;
  all.reserve(refusals.size() + troubles.size());
  for (const Refusal& refusal : refusals) all.push_back(refusal.rejection);
  for (const auto& [name, trouble] : troubles)
    if (trouble.state() == control::v1::ResourceStatus::PARKED ||
        trouble.state() == control::v1::ResourceStatus::CONFLICT)
      all.insert(all.end(), trouble.errors().begin(), trouble.errors().end());
  if (config) all.insert(all.end(), config->errors().begin(), config->errors().end());
  return all;
}

void Roster::Connected(const Proxy& proxy, bool anew) {
  const std::lock_guard lock(mutex_);
  Forget(Now());
  Proxy& here = proxies_[{proxy.group, proxy.id}];
  Proxy before = std::exchange(here, proxy);
  here.streams = before.streams + 1;
  here.since = before.streams > 0 ? before.since : Now();
  here.fleet_streams = before.fleet_streams;
  here.offered = before.offered;
  here.requests = before.requests;
  here.local_failures = before.local_failures;
  if (anew) return;
  here.version = std::move(before.version);
  here.version_since = before.version_since;
  here.refusals = std::move(before.refusals);
  here.troubles = std::move(before.troubles);
  here.config = std::move(before.config);
}

void Roster::Gone(const std::string& group, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = proxies_.find({group, id});
  if (found == proxies_.end() || --found->second.streams > 0) return;
  found->second.since = Now();
}

void Roster::Offered(const std::string& group, const std::string& id, const std::string& version) {
  const std::lock_guard lock(mutex_);
  const auto found = proxies_.find({group, id});
  if (found == proxies_.end() || found->second.offered == version) return;
  found->second.offered = version;
  found->second.requests = found->second.local_failures = 0;
}

void Roster::Judged(const std::string& group, const std::string& id, const Verdict& verdict) {
  const std::lock_guard lock(mutex_);
  ++(verdict.accepted ? counts_.accepted : counts_.refused);
  const auto found = proxies_.find({group, id});
  if (found == proxies_.end()) return;
  auto& refusals = found->second.refusals;
  std::erase_if(refusals, [&](const Refusal& refusal) { return IsOver(refusal, verdict); });
  for (const auto& [name, version] : verdict.versions) found->second.troubles.erase({verdict.type_url, name});
  const auto response = std::make_shared<const std::map<std::string, std::string>>(verdict.versions);
  for (const control::v1::Rejection& rejection : verdict.rejections)
    if (refusals.size() < kMostRefusals) refusals.push_back({verdict.type_url, response, rejection});
}

bool Roster::Reported(const std::string& group, const std::string& id, const control::v1::Report& report, bool first) {
  const std::lock_guard lock(mutex_);
  const auto found = proxies_.find({group, id});
  if (found == proxies_.end()) return false;
  Proxy& proxy = found->second;
  if (first) {
    ++proxy.fleet_streams;
    proxy.troubles.clear();
  }
  TakeResources(report, proxy);
  if (report.has_config()) proxy.config = report.config();
  proxy.requests += report.requests();
  proxy.local_failures += report.local_failures();
  RuleCounts& decisions = decisions_[group];
  for (const control::v1::RuleCount& count : report.counts()) {
    if (decisions.size() >= kMostRules && !decisions.contains({count.policy(), count.rule()})) continue;
    control::v1::RuleCount& sum = decisions[{count.policy(), count.rule()}];
    sum.set_policy(count.policy());
    sum.set_rule(count.rule());
    sum.set_allowed(sum.allowed() + count.allowed());
    sum.set_denied(sum.denied() + count.denied());
  }
  return true;
}

void Roster::ReportsNoMore(const std::string& group, const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = proxies_.find({group, id}); found != proxies_.end()) --found->second.fleet_streams;
}

std::map<std::string, Roster::RuleCounts> Roster::Decisions() const {
  const std::lock_guard lock(mutex_);
  return decisions_;
}

void Roster::Settled(const std::string& group, const std::string& id, const std::string& version) {
  const std::lock_guard lock(mutex_);
  const auto found = proxies_.find({group, id});
  if (found == proxies_.end() || found->second.version == version) return;
  found->second.version = version;
  found->second.version_since = Now();
}

std::vector<Proxy> Roster::Look() const {
  const std::lock_guard lock(mutex_);
  std::vector<Proxy> proxies;
  proxies.reserve(proxies_.size());
  for (const auto& [key, proxy] : proxies_) proxies.push_back(proxy);
  return proxies;
}

Roster::Counts Roster::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Roster::Forget(Proxy::Time now) {
  std::erase_if(proxies_, [&](const auto& one) {
    return one.second.streams == 0 && (now - one.second.since > kForgetAfter || proxies_.size() >= kMostProxies);
  });
}

}  // namespace egret
