#include "source/ctl/fleet_merge.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

using control::v1::GroupStatus;
using control::v1::ProxyStatus;
using control::v1::Rollout;
using control::v1::RuleCount;
using control::v1::StatusResponse;
using Name = std::pair<std::string, std::string>;

// What one replica has halted is halted.
void Add(const Rollout& more, GroupStatus& group) {
  if (!group.has_rollout()) {
    *group.mutable_rollout() = more;
    return;
  }
  Rollout& rollout = *group.mutable_rollout();
  if (rollout.release() != more.release() || rollout.percent() != more.percent())
    rollout.add_problems(Cat("group ", group.name(), ": replicas differ about the next release, ", rollout.release(),
                             " at ", rollout.percent(), "% and ", more.release(), " at ", more.percent(), "%"));
  if (!rollout.has_halt() && more.has_halt()) *rollout.mutable_halt() = more.halt();
  rollout.set_proxies_given(rollout.proxies_given() + more.proxies_given());
  rollout.set_proxies_settled(rollout.proxies_settled() + more.proxies_settled());
  rollout.set_decisions_compared(rollout.decisions_compared() + more.decisions_compared());
  rollout.set_decisions_changed(rollout.decisions_changed() + more.decisions_changed());
  // They may be the same ones: as many as the one that knows most has seen.
  rollout.set_identities_changed(std::max(rollout.identities_changed(), more.identities_changed()));
}

void Add(const GroupStatus& more, GroupStatus& group) {
  if (more.has_rollout()) Add(more.rollout(), group);
  const std::set<std::string> told(group.problems().begin(), group.problems().end());
  for (const std::string& problem : more.problems())
    if (!told.contains(problem)) group.add_problems(problem);
  if (more.version() != group.version())
    group.add_problems(Cat("group ", group.name(), ": replicas serve different versions, ", group.version(), " and ",
                           more.version(), "; give all of them the same files"));
  std::map<Name, RuleCount> counts;
  for (const GroupStatus* of : {&std::as_const(group), &more})
    for (const RuleCount& count : of->counts()) {
      RuleCount& sum = counts[{count.policy(), count.rule()}];
      const uint64_t allowed = sum.allowed() + count.allowed(), denied = sum.denied() + count.denied();
      sum = count;
      sum.set_allowed(allowed);
      sum.set_denied(denied);
    }
  group.clear_counts();
  for (auto& [name, count] : counts) *group.add_counts() = std::move(count);
}

bool KnowsBetter(const ProxyStatus& a, const ProxyStatus& b) {
  const auto rank = [](const ProxyStatus& proxy) {
    return std::tuple(proxy.connected(), proxy.since().seconds(), proxy.since().nanos());
  };
  return rank(a) > rank(b);
}

}  // namespace

StatusResponse Merge(const std::vector<StatusResponse>& replicas) {
  StatusResponse merged;
  merged.set_identifier(replicas.front().identifier());
  merged.set_release(replicas.front().release());
  std::map<std::string, GroupStatus> groups;
  std::map<Name, ProxyStatus> proxies;
  for (const StatusResponse& replica : replicas) {
    for (const GroupStatus& group : replica.groups())
      if (const auto [at, first] = groups.emplace(group.name(), group); !first) Add(group, at->second);
    for (const ProxyStatus& proxy : replica.proxies())
      if (const auto [at, first] = proxies.emplace(Name(proxy.group(), proxy.id()), proxy);
          !first && KnowsBetter(proxy, at->second))
        at->second = proxy;
  }
  for (auto& [name, group] : groups) *merged.add_groups() = std::move(group);
  for (auto& [name, proxy] : proxies) *merged.add_proxies() = std::move(proxy);
  return merged;
}

}  // namespace egret
