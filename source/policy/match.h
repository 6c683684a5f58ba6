// Whether one condition of a rule holds: false or true on known facts, else unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/policy/facts.h"
#include "source/policy/program.h"

namespace egret {

enum class Match : uint8_t { kFalse, kUnknown, kTrue };

// Facts with what follows from them: a literal has resolved to itself; protocol OTHER has no HTTP inside, and what is
// no TLS no fingerprint; an empty answer is an absent one. Other readings of the path are made when a rule first asks.
class FactView {
 public:
  // `target` instead of the facts' own.
  FactView(const Facts& facts, const Target& target);

  const Facts* operator->() const { return &facts_; }
  const Facts& facts() const { return facts_; }
  const Target& target() const { return *facts_.target; }
  void SetResolved(const Fact<std::span<const IpAddress>>& resolved);

  bool AmbiguousPath() const;
  const std::vector<std::string>& OtherPaths() const;

 private:
  Facts facts_;
  mutable std::optional<bool> ambiguous_;
  mutable std::optional<std::vector<std::string>> other_paths_;
};

// `host_matches`: what the index says about the rule and the target.
Match JudgeGroup(const CompiledRule& rule, Group group, const FactView& view, bool host_matches);

// All conditions: false if one is, true if all are, else unknown; then `missing` gets the conditions that are unknown,
// as bits by Group.
inline Match JudgeRule(const CompiledRule& rule, const FactView& view, bool host_matches, uint32_t& missing) {
  missing = 0;
  for (uint32_t left = rule.groups; left != 0; left &= left - 1) {
    const auto group = static_cast<Group>(__builtin_ctz(left));
    const Match match = JudgeGroup(rule, group, view, host_matches);
    if (match == Match::kFalse) return Match::kFalse;
    if (match == Match::kUnknown) missing |= 1u << static_cast<unsigned>(group);
  }
  return missing == 0 ? Match::kTrue : Match::kUnknown;
}

constexpr uint32_t Bit(Group group) { return 1u << static_cast<unsigned>(group); }
constexpr uint32_t kIdentityGroups = Bit(Group::kAssurance) | Bit(Group::kUsers) | Bit(Group::kGroups) |
                                     Bit(Group::kSpiffeIds) | Bit(Group::kNamespaces) | Bit(Group::kServiceAccounts) |
                                     Bit(Group::kClaims);

constexpr uint32_t kFingerprintGroups = Bit(Group::kJa3) | Bit(Group::kJa4);

// For people: "port", "http.methods".
std::string_view NameOf(Group group);

}  // namespace egret
