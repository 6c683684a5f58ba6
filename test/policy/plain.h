// The decision procedure once more, straight from its description: rule by rule, word by word, without index, without
// early exit, over the specs themselves. What it lacks in speed it has in being obvious; the property tests hold the
// compiled one against it. It leaves out what has tables of its own: other readings of a path, lists in a header's
// value.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "source/policy/facts.h"
#include "source/policy/match.h"
#include "source/policy/pattern.h"
#include "source/policy/spec.h"

namespace egret::plain {

enum class End : uint8_t { kDeny, kAllow };
enum class Effect : uint8_t { kDeny, kAbstain, kAllow };

inline Match Is(bool holds) { return holds ? Match::kTrue : Match::kFalse; }

inline bool In(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

inline bool InRanges(const std::vector<std::string>& ranges, const IpAddress& address) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const std::string& range) { return Cidr::Parse(range)->Contains(address); });
}

inline bool InNames(const std::vector<std::string>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return ParsePattern(pattern)->Matches(name); });
}

inline bool InSet(const PolicySetSpec& all, const std::string& set, std::string_view name) {
  for (const DomainSetSpec& candidate : all.domain_sets) {
    if (candidate.name != set) continue;
    if (InNames(candidate.domains, name) || InNames(candidate.file_domains, name)) return true;
    for (const std::string& included : candidate.includes)
      if (InSet(all, included, name)) return true;
  }
  return false;
}

inline bool Below(std::string prefix, std::string_view path) {
  if (path == prefix) return true;
  if (!prefix.ends_with('/')) prefix += '/';
  return path.starts_with(prefix);
}

template <class T>
Match Open(const Fact<T>& fact) {
  return fact.unknown() ? Match::kUnknown : Match::kFalse;
}

class Judge {
 public:
  Judge(const PolicySetSpec& all, const Facts& facts) : all_(all), facts_(facts) {}

  Match Rule(const RuleSpec& rule) const {
    std::vector<Match> groups;
    From(rule, groups);
    To(rule, groups);
    if (rule.http) Http(rule, groups);
    groups.push_back(Is(!(rule.not_before && facts_.now < *rule.not_before)));
    groups.push_back(Is(!(rule.not_after && facts_.now > *rule.not_after)));
    return *std::min_element(groups.begin(), groups.end());  // false < unknown < true
  }

  // The deciders of a policy.
  std::vector<Effect> Deciders(const PolicySpec& policy, bool audited) const {
    std::vector<Effect> out;
    const bool soft = policy.mode == PolicySpec::Mode::kAudit && facts_.now < *policy.audit_until && !audited;
    const bool only_forbids = policy.otherwise == PolicySpec::Otherwise::kAbstain;
    const auto add = [&](Effect effect) {
      if (soft && effect == Effect::kDeny) effect = only_forbids ? Effect::kAbstain : Effect::kAllow;
      out.push_back(effect);
    };
    for (const RuleSpec& rule : policy.rules) {
      if (rule.mode == RuleSpec::Mode::kAudit && !audited) continue;
      const Match match = Rule(rule);
      if (match == Match::kFalse) continue;
      add(rule.action == RuleSpec::Action::kAllow ? Effect::kAllow : Effect::kDeny);
      if (match == Match::kTrue) return out;
    }
    add(only_forbids ? Effect::kAbstain : Effect::kDeny);
    return out;
  }

  // One decider of each policy, in every combination.
  std::set<End> Outcomes(const std::vector<std::string>& stack, bool audited = false) const {
    std::set<Effect> reached = {Effect::kAbstain};  // what the combinations so far come to
    for (const std::string& name : stack) {
      const auto policy = std::find_if(all_.policies.begin(), all_.policies.end(),
                                       [&](const PolicySpec& candidate) { return candidate.name == name; });
      std::set<Effect> next;
      for (const Effect before : reached)
        for (const Effect decider : Deciders(*policy, audited)) next.insert(Combined(before, decider));
      reached = next;
    }
    std::set<End> out;
    for (const Effect effect : reached) out.insert(effect == Effect::kAllow ? End::kAllow : End::kDeny);
    return out;
  }

 private:
  static Effect Combined(Effect a, Effect b) {
    if (a == Effect::kDeny || b == Effect::kDeny) return Effect::kDeny;
    return a == Effect::kAllow || b == Effect::kAllow ? Effect::kAllow : Effect::kAbstain;
  }

  void From(const RuleSpec& rule, std::vector<Match>& groups) const {
    const FromSpec& from = rule.from;
    if (!from.cidrs.empty()) groups.push_back(Is(InRanges(from.cidrs, facts_.source)));
    if (!from.ja4.empty()) groups.push_back(Hello(from.ja4));
    const bool asks = !from.users.empty() || !from.groups.empty() || !from.spiffe_ids.empty() ||
                      !from.namespaces.empty() || !from.service_accounts.empty() || !from.claims.empty() ||
                      from.at_least != Assurance::kAny;
    if (asks)
      groups.push_back(facts_.identity.known() ? Is(Who(from, *facts_.identity.value())) : Open(facts_.identity));
  }

  static bool Who(const FromSpec& from, const Identity& who) {
    if (!from.users.empty() && !In(from.users, who.user)) return false;
    if (!from.groups.empty() && !AnyIn(from.groups, who.groups)) return false;
    if (!from.spiffe_ids.empty() && !Spiffe(from.spiffe_ids, who.spiffe_id)) return false;
    if (!from.namespaces.empty() && !In(from.namespaces, who.namespace_)) return false;
    if (!from.service_accounts.empty() && !In(from.service_accounts, who.service_account)) return false;
    for (const ClaimSpec& claim : from.claims)
      if (!Claims(claim, who)) return false;
    return who.assurance >= from.at_least;
  }

  static bool AnyIn(const std::vector<std::string>& list, const std::vector<std::string>& words) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return In(list, word); });
  }

  static bool Spiffe(const std::vector<std::string>& patterns, const std::string& id) {
    for (const std::string& pattern : patterns) {
      if (pattern == id) return true;
      const bool below = pattern.ends_with("/*");
      if (below && id.size() >= pattern.size() && id.starts_with(pattern.substr(0, pattern.size() - 1))) return true;
    }
    return false;
  }

  static bool Claims(const ClaimSpec& wanted, const Identity& who) {
    for (const Identity::Claim& claim : who.claims)
      if (claim.name == wanted.name && AnyIn(wanted.values, claim.values)) return true;
    return false;
  }

  // Only what is TLS has a fingerprint.
  Match Hello(const std::vector<std::string>& ja4) const {
    if (facts_.ja4.known()) return Is(In(ja4, facts_.ja4.value()));
    return facts_.protocol.known() && facts_.protocol.value() != Protocol::kTls ? Match::kFalse : Open(facts_.ja4);
  }

  bool Host(const RuleSpec& rule) const {
    const ToSpec& to = rule.to;
    const Target& target = *facts_.target;
    if (to.domains.empty() && to.domain_sets.empty() && to.cidrs.empty())
      return rule.action == RuleSpec::Action::kDeny || !target.literal;
    if (target.literal) return InRanges(to.cidrs, *target.literal);
    return InNames(to.domains, target.host) ||
           std::any_of(to.domain_sets.begin(), to.domain_sets.end(),
                       [&](const std::string& set) { return InSet(all_, set, target.host); });
  }

  bool Port(const RuleSpec& rule) const {
    const ToSpec& to = rule.to;
    const uint16_t port = facts_.target->port;
    if (to.ports.empty() && to.port_ranges.empty())
      return rule.action == RuleSpec::Action::kDeny || port == 80 || port == 443;
    return std::find(to.ports.begin(), to.ports.end(), port) != to.ports.end() ||
           std::any_of(to.port_ranges.begin(), to.port_ranges.end(),
                       [&](const PortRangeSpec& range) { return range.first <= port && port <= range.last; });
  }

  Match Carries(const RuleSpec& rule) const {
    std::vector<Protocol> protocols = rule.to.protocols;
    if (protocols.empty() && rule.action == RuleSpec::Action::kDeny) return Match::kTrue;
    if (protocols.empty()) protocols = {Protocol::kTls, Protocol::kHttp};
    if (!facts_.protocol.known()) return Open(facts_.protocol);
    return Is(std::find(protocols.begin(), protocols.end(), facts_.protocol.value()) != protocols.end());
  }

  void To(const RuleSpec& rule, std::vector<Match>& groups) const {
    groups.push_back(Is(Host(rule)));
    groups.push_back(Is(Port(rule)));
    groups.push_back(Carries(rule));
    if (rule.to.resolved_cidrs.empty()) return;
    std::vector<IpAddress> addresses;
    if (facts_.target->literal) {
      addresses = {*facts_.target->literal};
    } else if (facts_.resolved.known()) {
      addresses.assign(facts_.resolved.value().begin(), facts_.resolved.value().end());
    } else {
      groups.push_back(Open(facts_.resolved));
      return;
    }
    const auto inside = [&](const IpAddress& address) { return InRanges(rule.to.resolved_cidrs, address); };
    groups.push_back(Is(rule.action == RuleSpec::Action::kAllow
                            ? std::all_of(addresses.begin(), addresses.end(), inside)
                            : std::any_of(addresses.begin(), addresses.end(), inside)));
  }

  // What is not HTTP has none of these.
  template <class T>
  Match OpenHttp(const Fact<T>& fact) const {
    if (facts_.protocol.known() && facts_.protocol.value() == Protocol::kOther) return Match::kFalse;
    return Open(fact);
  }

  void Http(const RuleSpec& rule, std::vector<Match>& groups) const {
    const HttpSpec& http = *rule.http;
    if (!http.methods.empty())
      groups.push_back(facts_.method.known() ? Is(In(http.methods, facts_.method.value())) : OpenHttp(facts_.method));
    if (!http.paths.empty() || !http.path_prefixes.empty())
      groups.push_back(facts_.path.known() ? Is(Path(http, facts_.path.value())) : OpenHttp(facts_.path));
    for (const HeaderSpec& header : http.headers)
      groups.push_back(facts_.headers.known() ? Is(Header(rule, header)) : OpenHttp(facts_.headers));
  }

  static bool Path(const HttpSpec& http, std::string_view path) {
    return In(http.paths, path) || std::any_of(http.path_prefixes.begin(), http.path_prefixes.end(),
                                               [&](const std::string& prefix) { return Below(prefix, path); });
  }

  bool Header(const RuleSpec& rule, const HeaderSpec& header) const {
    std::vector<std::string_view> values;
    for (const Field& field : facts_.headers.value())
      if (field.name == header.name) values.push_back(field.value);
    const auto matches = [&](std::string_view value) { return In(header.values, value); };
    if (values.empty()) return false;
    return rule.action == RuleSpec::Action::kAllow ? std::all_of(values.begin(), values.end(), matches)
                                                   : std::any_of(values.begin(), values.end(), matches);
  }

  const PolicySetSpec& all_;
  const Facts& facts_;
};

}  // namespace egret::plain
