// One run of the rules over the facts: which rules may still decide, and what may come out.
//
// The deciders of a policy are its unknown rules before the first true one, and that one; where none is true, what the
// policy does otherwise. The outcomes of a stage are those of one decider of each policy, in every combination: any
// DENY denies, else any ALLOW allows, and where all abstain it is denied.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/policy/match.h"
#include "source/policy/program.h"
#include "source/policy/stack.h"

namespace egret {

enum class Effect : uint8_t { kDeny, kAbstain, kAllow };

struct Decider {
  std::string_view policy;             // as the stack names it
  const CompiledRule* rule = nullptr;  // null: what the policy does otherwise
  Effect effect = Effect::kDeny;
  Match match = Match::kTrue;  // kTrue closes the policy
  uint32_t missing = 0;        // of an unknown rule: conditions by Group
  bool absent_policy = false;  // the stack names a policy that is not there
};

struct Outcome {
  bool can_allow = false;
  bool can_deny = false;
  uint32_t missing = 0;                                      // what any decider waits for
  RuleSpec::Inspection steer = RuleSpec::Inspection::kAuto;  // of the first decider that is not AUTO
  Decider denier;         // the closing decider of the first policy that only denies (or else of the first)
  Decider allower;        // the closing decider of the first policy that only allows; else the first that may allow
  Decider first_unknown;  // the first decider that is unknown
};

// What both allow.
Outcome Both(const Outcome& first, const Outcome& second);

class Evaluation {
 public:
  // Whether AUDIT rules and policies count.
  enum class Mode : uint8_t { kEnforced, kAudited };

  // All three must outlive it. Looks the target up once.
  Evaluation(const Program& program, const PolicyStack& stack, const FactView& view);

  Outcome Run(Mode mode = Mode::kEnforced) const;
  // Whether anything in the stack is in audit mode, so that Run(kAudited) may differ.
  bool HasAudit() const;
  // What each enforced decider that allows opens of the guarded ranges: empty where none allows.
  std::vector<const CidrSet*> Opened() const;
  // The rules of Opened() that do not open `address`, for people: "rule a of policy p".
  std::string RulesThatDoNotOpen(const IpAddress& address) const;

  // Whether a ClientHello may show no name, or this one in front of an encrypted one: some decider allows, and every
  // one that does says so.
  bool TakesNoName() const;
  bool TakesOuterName(std::string_view canonical) const;

  // For Explain: every rule of a policy, whether the index says that its hosts hold the target.
  std::vector<bool> HostMatches(const CompiledPolicy& policy) const;

 private:
  static constexpr size_t kInlineGroups = 32;
  static constexpr size_t kInlineWords = 16;

  template <class OnDecider>
  void ForEachDecider(Mode mode, OnDecider on_decider) const;
  template <class OnDecider>
  void DecidersOf(const CompiledPolicy& policy, Mode mode, OnDecider on_decider) const;
  template <class Predicate>
  bool EveryAllow(Predicate predicate) const;
  void Candidates(const CompiledPolicy& policy, std::span<uint64_t> into) const;
  std::span<const uint32_t> groups() const;

  const Program& program_;
  const PolicyStack& stack_;
  const FactView& view_;
  // The name or address groups that hold the target.
  uint32_t inline_groups_[kInlineGroups];
  size_t count_ = 0;
  std::vector<uint32_t> more_groups_;  // all of them, once there are more
};

}  // namespace egret
