#include "source/learn/proposal.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "source/base/strings.h"
#include "source/learn/name_groups.h"
#include "source/learn/path_prefixes.h"
#include "source/policy/guard.h"

namespace egret {
namespace {

using Likeness = ProposedRule::Likeness;

void Add(const Use& more, Use& sum) {
  sum.times.Add(more.times);
  sum.carries.insert(more.carries.begin(), more.carries.end());
  sum.blind = sum.blind || more.blind;
  sum.without_sni = sum.without_sni || more.without_sni;
  sum.ech_names.insert(more.ech_names.begin(), more.ech_names.end());
  sum.methods.insert(more.methods.begin(), more.methods.end());
  sum.many_paths = sum.many_paths || more.many_paths;
  sum.paths.insert(more.paths.begin(), more.paths.end());
  if (sum.many_paths) sum.paths.clear();
  sum.reached.insert(more.reached.begin(), more.reached.end());
}

std::map<std::string, Traffic::Uses> Sorted(const Traffic& traffic, bool per_identity) {
  if (per_identity) return traffic.by_identity();
  Traffic::Uses all;
  for (const auto& [identity, uses] : traffic.by_identity())
    for (const auto& [destination, use] : uses) Add(use, all[destination]);
  return {{"", std::move(all)}};
}

// What the address guard would refuse unless a rule names it; of what no rule can open there is nothing to say.
std::vector<std::string> PrivateAmong(const std::set<IpAddress>& addresses, uint16_t port) {
  const AddressGuard guard;
  std::vector<std::string> out;
  for (const IpAddress& address : addresses)
    if (const Finding finding = guard.Judge(address, port); finding && finding.exemptible)
      out.push_back(address.ToString());
  return out;
}

Likeness LikenessOf(const std::string& identity, const Destination& destination, const Use& use) {
  Likeness likeness;
  likeness.identity = identity;
  likeness.carries = use.carries;
  likeness.literal = IpAddress::Parse(destination.host).has_value();
  likeness.private_addresses = PrivateAmong(use.reached, destination.port);
  likeness.without_sni = use.without_sni && !likeness.literal;
  if (!likeness.literal) likeness.ech_names.assign(use.ech_names.begin(), use.ech_names.end());
  const bool seen_whole = !use.blind && !use.carries.contains(Use::Carries::kOther) && !use.methods.empty();
  if (!seen_whole) return likeness;
  likeness.methods.assign(use.methods.begin(), use.methods.end());
  if (!use.many_paths) likeness.prefixes = PrefixesOf(use.paths);
  return likeness;
}

// By how many identities each host was used.
std::map<std::string, size_t> UsersOf(const Traffic& traffic) {
  std::map<std::string, std::set<std::string_view>> users;
  for (const auto& [identity, uses] : traffic.by_identity())
    for (const auto& [destination, use] : uses) users[destination.host].insert(identity);
  std::map<std::string, size_t> counts;
  for (const auto& [host, who] : users) counts[host] = who.size();
  return counts;
}

using HostTimes = std::map<std::string, Times>;

// `users`: by how many identities each was used; empty: that is of no matter.
std::vector<ProposedRule::Host> HostsOf(const HostTimes& times, bool literal,
                                        const std::map<std::string, size_t>& users) {
  std::set<std::string> names;
  for (const auto& [host, its_times] : times) names.insert(host);
  std::map<std::string, std::set<std::string>> groups;
  if (literal)
    for (const std::string& name : names) groups[name] = {name};
  else
    groups = GroupNames(names);
  std::vector<ProposedRule::Host> hosts;
  for (const auto& [pattern, its_names] : groups) {
    ProposedRule::Host& host = hosts.emplace_back();
    host.pattern = pattern;
    host.names = its_names.size();
    for (const std::string& name : its_names) host.times.Add(times.at(name));
    host.of_one_identity = !users.empty() && std::all_of(its_names.begin(), its_names.end(),
                                                         [&](const std::string& name) { return users.at(name) == 1; });
  }
  return hosts;
}

}  // namespace

std::vector<ProposedRule> ProposeRules(const Traffic& traffic, bool per_identity) {
  // A host's ports are one matter where it is used alike on them.
  std::map<std::pair<Likeness, std::string>, std::pair<std::set<uint16_t>, Times>> by_host;
  for (const auto& [identity, uses] : Sorted(traffic, per_identity)) {
    for (const auto& [destination, use] : uses) {
      auto& [ports, times] = by_host[{LikenessOf(identity, destination, use), destination.host}];
      ports.insert(destination.port);
      times.Add(use.times);
    }
  }
  std::map<Likeness, HostTimes> alike;
  for (const auto& [key, found] : by_host) {
    Likeness likeness = key.first;
    likeness.ports = found.first;
    alike[std::move(likeness)].emplace(key.second, found.second);
  }
  const bool flag = per_identity && traffic.by_identity().size() > 1;
  const auto users = flag ? UsersOf(traffic) : std::map<std::string, size_t>();
  std::vector<ProposedRule> rules;
  rules.reserve(alike.size());
  for (const auto& [likeness, times] : alike) rules.push_back({likeness, HostsOf(times, likeness.literal, users)});
  return rules;
}

}  // namespace egret
