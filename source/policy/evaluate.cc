#include "source/policy/evaluate.h"

#include <algorithm>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

using Mode = Evaluation::Mode;

Effect EffectOf(const CompiledRule* rule, const CompiledPolicy& policy) {
  if (rule != nullptr) return rule->allows ? Effect::kAllow : Effect::kDeny;
  return policy.abstains ? Effect::kAbstain : Effect::kDeny;
}

// A policy that is only audited lets through what it would deny: it allows, unless it is one that only forbids.
Effect LetThrough(Effect effect, const CompiledPolicy& policy) {
  if (effect != Effect::kDeny) return effect;
  return policy.abstains ? Effect::kAbstain : Effect::kAllow;
}

// Adds up the outcomes of a stack, policy by policy.
class Sum {
 public:
  void Add(const Decider& decider) {
    if (std::exchange(open_, false)) {
      deny_ = abstain_ = allow_ = false;
      ++policies_;
    }
    deny_ |= decider.effect == Effect::kDeny;
    abstain_ |= decider.effect == Effect::kAbstain;
    allow_ |= decider.effect == Effect::kAllow;
    if (decider.effect == Effect::kAllow && !std::exchange(found_allow_, true)) may_allow_ = decider;
    const auto inspection = decider.rule != nullptr ? decider.rule->inspection : RuleSpec::Inspection::kAuto;
    if (out_.steer == RuleSpec::Inspection::kAuto && decider.effect == Effect::kAllow) out_.steer = inspection;
    if (decider.match == Match::kUnknown) {
      out_.missing |= decider.missing;
      if (!std::exchange(found_unknown_, true)) out_.first_unknown = decider;
    } else {
      Close(decider);
    }
  }

  Outcome Finish() {
    out_.can_deny = any_deny_ || all_abstain_;
    out_.can_allow = all_let_ && any_allow_;
    if (!found_denier_) out_.denier = first_;
    if (!found_allower_) out_.allower = may_allow_;
    return out_;
  }

 private:
  void Close(const Decider& decider) {
    open_ = true;
    any_deny_ |= deny_;
    any_allow_ |= allow_;
    all_let_ &= allow_ || abstain_;
    all_abstain_ &= abstain_;
    if (policies_ == 1) first_ = decider;
    if (deny_ && !allow_ && !abstain_ && !std::exchange(found_denier_, true)) out_.denier = decider;
    if (allow_ && !deny_ && !abstain_ && !std::exchange(found_allower_, true)) out_.allower = decider;
  }

  Outcome out_;
  Decider first_, may_allow_;
  int policies_ = 0;
  bool open_ = true;                                     // the next decider is the first of a policy
  bool deny_ = false, abstain_ = false, allow_ = false;  // of this policy
  bool any_deny_ = false, any_allow_ = false, all_let_ = true, all_abstain_ = true;  // of the closed ones
  bool found_denier_ = false, found_allower_ = false, found_allow_ = false, found_unknown_ = false;
};

}  // namespace

Outcome Both(const Outcome& first, const Outcome& second) {
  Outcome out = first;
  out.can_allow = first.can_allow && second.can_allow;
  out.can_deny = first.can_deny || second.can_deny;
  out.missing = first.missing | second.missing;
  if (first.can_allow) out.denier = second.denier;
  if (first.missing == 0) out.first_unknown = second.first_unknown;
  if (first.steer == RuleSpec::Inspection::kAuto) out.steer = second.steer;
  return out;
}

Evaluation::Evaluation(const Program& program, const PolicyStack& stack, const FactView& view)
    : program_(program), stack_(stack), view_(view) {
  const auto add = [&](uint32_t group) {
    if (count_ < kInlineGroups) {
      inline_groups_[count_++] = group;
      return;
    }
    if (more_groups_.empty()) more_groups_.assign(inline_groups_, inline_groups_ + count_);
    more_groups_.push_back(group);
  };
  if (view.target().literal)
    program.addresses->Match(*view.target().literal, add);
  else
    program.names.Match(view.target().host, add);
}

std::span<const uint32_t> Evaluation::groups() const {
  return more_groups_.empty() ? std::span(inline_groups_, count_) : std::span(more_groups_);
}

void Evaluation::Candidates(const CompiledPolicy& policy, std::span<uint64_t> into) const {
  const bool literal = view_.target().literal.has_value();
  const RuleBits& any = literal ? policy.any_literal : policy.any_name;
  std::copy(any.begin(), any.end(), into.begin());
  const auto& by_group = literal ? policy.by_address_group : policy.by_name_group;
  for (const uint32_t group : groups()) {
    const auto at = by_group.find(group);
    if (at == by_group.end()) continue;
    for (const uint32_t rule : at->second) into[rule / 64] |= uint64_t{1} << rule % 64;
  }
}

template <class OnDecider>
void Evaluation::DecidersOf(const CompiledPolicy& policy, Mode mode, OnDecider on_decider) const {
  const bool let_through = mode == Mode::kEnforced && policy.Audited(view_->now);
  const auto decide = [&](const CompiledRule* rule, Match match, uint32_t missing) {
    Effect effect = EffectOf(rule, policy);
    if (let_through) effect = LetThrough(effect, policy);
    on_decider(Decider{policy.name, rule, effect, match, missing, false});
  };
  uint64_t inline_words[kInlineWords];
  RuleBits more_words;
  const size_t count = policy.any_name.size();
  if (count > kInlineWords) more_words.resize(count);
  const std::span<uint64_t> words(count > kInlineWords ? more_words.data() : inline_words, count);
  Candidates(policy, words);
  for (size_t word = 0; word < count; ++word) {
    for (uint64_t left = words[word]; left != 0; left &= left - 1) {
      const CompiledRule& rule = policy.rules[word * 64 + static_cast<size_t>(__builtin_ctzll(left))];
      if (rule.audit && mode == Mode::kEnforced) continue;
      uint32_t missing = 0;
      const Match match = JudgeRule(rule, view_, true, missing);
      if (match == Match::kFalse) continue;
      decide(&rule, match, missing);
      if (match == Match::kTrue) return;
    }
  }
  decide(nullptr, Match::kTrue, 0);
}

template <class OnDecider>
void Evaluation::ForEachDecider(Mode mode, OnDecider on_decider) const {
  for (const std::string& name : stack_.names()) {
    const auto at = program_.by_name.find(name);
    if (at != program_.by_name.end())
      DecidersOf(*at->second, mode, on_decider);
    else
      on_decider(Decider{name, nullptr, Effect::kDeny, Match::kTrue, 0, true});
  }
}

Outcome Evaluation::Run(Mode mode) const {
  Sum sum;
  ForEachDecider(mode, [&](const Decider& decider) { sum.Add(decider); });
  return sum.Finish();
}

bool Evaluation::HasAudit() const {
  return std::any_of(stack_.names().begin(), stack_.names().end(), [&](const std::string& name) {
    const auto at = program_.by_name.find(name);
    return at != program_.by_name.end() && (at->second->has_audit_rules || at->second->Audited(view_->now));
  });
}

std::vector<const CidrSet*> Evaluation::Opened() const {
  static const CidrSet kNothing;
  std::vector<const CidrSet*> out;
  ForEachDecider(Mode::kEnforced, [&](const Decider& decider) {
    if (decider.effect != Effect::kAllow) return;
    // Of a policy that is only audited, what it would deny opens nothing.
    const bool allows = decider.rule != nullptr && decider.rule->allows;
    out.push_back(allows ? &decider.rule->reaches_private : &kNothing);
  });
  return out;
}

std::string Evaluation::RulesThatDoNotOpen(const IpAddress& address) const {
  std::string out;
  ForEachDecider(Mode::kEnforced, [&](const Decider& decider) {
    if (decider.rule == nullptr || !decider.rule->allows || decider.rule->reaches_private.Contains(address)) return;
    Append(out, out.empty() ? "" : " and ", "rule ", decider.rule->name, " of policy ", decider.policy);
  });
  return out;
}

// Of a policy that is only audited, what it would deny lifts no guard.
template <class Predicate>
bool Evaluation::EveryAllow(Predicate predicate) const {
  bool some = false;
  bool every = true;
  ForEachDecider(Mode::kEnforced, [&](const Decider& decider) {
    if (decider.effect != Effect::kAllow) return;
    some = true;
    every = every && decider.rule != nullptr && decider.rule->allows && predicate(*decider.rule);
  });
  return some && every;
}

bool Evaluation::TakesNoName() const {
  return EveryAllow([](const CompiledRule& rule) { return rule.without_sni; });
}

bool Evaluation::TakesOuterName(std::string_view canonical) const {
  return EveryAllow([&](const CompiledRule& rule) {
    return std::any_of(rule.ech_outer_names.begin(), rule.ech_outer_names.end(),
                       [&](const DomainPattern& pattern) { return pattern.Matches(canonical); });
  });
}

std::vector<bool> Evaluation::HostMatches(const CompiledPolicy& policy) const {
  RuleBits words(policy.any_name.size());
  Candidates(policy, words);
  std::vector<bool> out(policy.rules.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = (words[i / 64] >> i % 64 & 1u) != 0;
  return out;
}

}  // namespace egret
