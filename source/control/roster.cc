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

}  // namespace

void Roster::Connected(const Proxy& proxy, bool anew) {
  const std::lock_guard lock(mutex_);
  Forget(Now());
  Proxy& here = proxies_[{proxy.group, proxy.id}];
  Proxy before = std::exchange(here, proxy);
  here.streams = before.streams + 1;
  here.since = before.streams > 0 ? before.since : Now();
  if (anew) return;
  here.version = std::move(before.version);
  here.version_since = before.version_since;
  here.refusals = std::move(before.refusals);
}

void Roster::Gone(const std::string& group, const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = proxies_.find({group, id});
  if (found == proxies_.end() || --found->second.streams > 0) return;
  found->second.since = Now();
}

void Roster::Judged(const std::string& group, const std::string& id, const Verdict& verdict) {
  const std::lock_guard lock(mutex_);
  ++(verdict.accepted ? counts_.accepted : counts_.refused);
  const auto found = proxies_.find({group, id});
  if (found == proxies_.end()) return;
  auto& refusals = found->second.refusals;
  std::erase_if(refusals, [&](const Refusal& refusal) { return IsOver(refusal, verdict); });
  const auto response = std::make_shared<const std::map<std::string, std::string>>(verdict.versions);
  for (const control::v1::Rejection& rejection : verdict.rejections)
    if (refusals.size() < kMostRefusals) refusals.push_back({verdict.type_url, response, rejection});
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
