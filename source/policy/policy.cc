#include "source/policy/policy.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/policy/evaluate.h"
#include "source/policy/name_guard.h"
#include "source/policy/program.h"
#include "source/policy/verdict.h"

namespace egret {
namespace {

using Verdict = Decision::Verdict;
using Addresses = Fact<std::span<const IpAddress>>;

uint64_t NextGeneration() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

// Unique in the process; a thread takes a thousand at once.
uint64_t NextPermitId() {
  constexpr uint64_t kBlock = 1024;
  static std::atomic<uint64_t> blocks{1};
  thread_local uint64_t next = 0;
  if (next % kBlock == 0) next = blocks.fetch_add(1, std::memory_order_relaxed) * kBlock;
  return next++;
}

Facts With(Facts facts, const Addresses& resolved) {
  facts.resolved = resolved;
  return facts;
}

Facts FactsOf(const Binding& binding, const Facts& facts) {
  return With(facts, binding.remote ? Addresses::Absent() : Addresses(binding.resolved));
}

// A plain request is HTTP, or goes to its target inside TLS; whatever else the caller said.
Facts FactsOf(Ask ask, Facts facts) {
  const bool https = facts.protocol.known() && facts.protocol.value() == Protocol::kTls;
  if (ask == Ask::kRequest && !https) facts.protocol = Protocol::kHttp;
  return facts;
}

// The rules run over the facts, once.
struct Judged {
  Judged(const Program& program, const PolicyStack& stack, const Facts& facts, const Target& target)
      : view(facts, target), evaluation(program, stack, view), outcome(evaluation.Run()) {}
  Judged(const Judged&) = delete;
  Judged& operator=(const Judged&) = delete;

  FactView view;
  Evaluation evaluation;
  Outcome outcome;
};

// Where nothing more will be learned: exactly one outcome, or it is denied.
bool Settle(Decision& decision, const Judged& judged) {
  return SettleAddress(decision, Ask::kRequest, judged.outcome, judged.evaluation);
}

// What is bound to a tunnel: its target, and the name that it shows where that is not the same. What is denied for one
// of them is denied.
Outcome OutcomeOf(const Program& program, const PolicyStack& stack, const Facts& facts, const Binding& binding,
                  const Outcome& of_target) {
  if (binding.shown == nullptr) return of_target;
  const ShownName& shown = *binding.shown;
  return Both(of_target, Judged(program, stack, With(facts, Addresses(shown.resolved)), shown.target).outcome);
}

// How a tunnel whose protocol is known may be used.
void DecideUse(Decision& decision, const Outcome& outcome, Protocol protocol) {
  using Inspection = RuleSpec::Inspection;
  if (!outcome.can_allow) {
    DenyByRules(decision, outcome);
  } else if (protocol == Protocol::kHttp) {
    Allow(decision, Verdict::kInspect, outcome);
  } else if (!outcome.can_deny) {
    Allow(decision, outcome.steer == Inspection::kRequired ? Verdict::kInspect : Verdict::kRelay, outcome);
  } else if (outcome.steer == Inspection::kNever) {
    NameDecider(decision, outcome.first_unknown);
    Deny(decision, Fault::kNeedsInspection, "needs_inspection",
         Cat("Rule ", decision.rule, " can only be judged on what is inside, and another rule forbids looking."));
  } else {
    Allow(decision, Verdict::kInspect, outcome);
    NameDecider(decision, outcome.first_unknown);
  }
}

// "To the permit's target only": an inner request that names another is misdirected.
bool Misdirected(Decision& decision, const Target& target, const Facts& facts) {
  if (facts.target != nullptr && *facts.target == target) return false;
  decision.stage = Stage::kRequest;
  DenyByGuard(decision, "name_guard", Fault::kMisdirected, "misdirected");
  return true;
}

}  // namespace

Policy::Policy(std::unique_ptr<const Program> program) : program_(std::move(program)), generation_(NextGeneration()) {}
Policy::~Policy() = default;

const AddressGuard& Policy::guard() const { return program_->guard; }
const MadeOfPolicy& Policy::made() const { return program_->made; }

bool Policy::Has(std::string_view policy) const { return program_->by_name.contains(policy); }

std::vector<std::string_view> Policy::Names() const {
  std::vector<std::string_view> out;
  for (const auto& [name, policy] : program_->by_name) out.push_back(name);
  return out;
}

bool Policy::NeedsInspection(std::string_view policy) const {
  const auto at = program_->by_name.find(policy);
  if (at == program_->by_name.end()) return false;
  constexpr uint32_t kInside = Bit(Group::kMethod) | Bit(Group::kHeaders) | Bit(Group::kPath);
  return std::any_of(at->second->rules.begin(), at->second->rules.end(), [](const CompiledRule& rule) {
    const bool required = rule.inspection == RuleSpec::Inspection::kRequired;
    return !rule.audit && (required || (rule.groups & kInside) != 0);
  });
}

bool Policy::UsesFingerprints() const { return program_->uses_fingerprints; }

bool Policy::Enforced(std::string_view policy, int64_t now) const {
  const auto at = program_->by_name.find(policy);
  return at == program_->by_name.end() || !at->second->Audited(now);
}

std::optional<int64_t> Policy::NextBoundary(int64_t now) const {
  const auto& all = program_->boundaries;
  const auto next = std::upper_bound(all.begin(), all.end(), now);
  if (next == all.end()) return std::nullopt;
  return *next;
}

std::optional<Decision> Policy::JudgeLoop(const Endpoint& original, bool own_socket) const {
  constexpr std::string_view kOwn = "own_listener";
  if (!own_socket && guard().Judge(original.address, original.port).reason != kOwn) return std::nullopt;
  Decision out;
  DenyByGuard(out, "address_guard", Fault::kAddressProhibited, kOwn);
  return out;
}

Decision Policy::OtherAddress(Stage stage) {
  Decision out;
  out.stage = stage;
  DenyByGuard(out, "name_guard", Fault::kSniAddressMismatch, TextOf(Fault::kSniAddressMismatch).detail);
  return out;
}

Ruling<Admission> Policy::DecideTarget(const PolicyStack& stack, const Facts& facts, Ask ask) const {
  Ruling<Admission> out{{}, std::nullopt};
  if (facts.target == nullptr) {
    Deny(out.decision, Fault::kPolicyDenied, "no_target");
    return out;
  }
  const Judged judged(*program_, stack, FactsOf(ask, facts), *facts.target);
  const Outcome& outcome = judged.outcome;
  out.decision = StartDecision(Stage::kTarget, outcome);
  if (!outcome.can_allow) {
    DenyByRules(out.decision, outcome);
    NoteAudit(out.decision, judged.evaluation);
  } else if (outcome.can_deny && (outcome.missing & kIdentityGroups) != 0) {
    NameDecider(out.decision, outcome.first_unknown);
    Deny(out.decision, Fault::kAuthRequired, "identity_unknown");
    out.decision.verdict = Verdict::kChallenge;
  } else {
    Allow(out.decision, Verdict::kContinue, outcome);
    out.permit = Admission(*facts.target, stack, ask);
  }
  return out;
}

AddressRuling Policy::DecideAddress(const Admission& admission, const Facts& facts) const {
  const Target& target = admission.target();
  const Judged judged(*program_, admission.stack(), FactsOf(admission.ask(), facts), target);
  AddressRuling out{StartDecision(Stage::kAddress, judged.outcome), std::nullopt, std::nullopt};
  const auto& resolved = judged.view->resolved;
  if (!resolved.known()) {
    DenyByGuard(out.decision, "address_guard", Fault::kAddressProhibited, "no_addresses");
    return out;
  }
  auto vetted = Vet(out.decision, guard(), judged.evaluation, resolved.value(), target.port);
  if (vetted.empty() || !SettleAddress(out.decision, admission.ask(), judged.outcome, judged.evaluation)) return out;
  DialPermit permit = Permit(admission, out.decision);
  permit.binding_.resolved.assign(resolved.value().begin(), resolved.value().end());
  permit.addresses_ = std::move(vetted);
  Hand(out, admission, std::move(permit));
  return out;
}

AddressRuling Policy::DecideRemote(const Admission& admission, const Facts& facts,
                                   const ConfiguredTarget& next_hop) const {
  const Facts known = With(FactsOf(admission.ask(), facts), Addresses::Absent());
  const Judged judged(*program_, admission.stack(), known, admission.target());
  AddressRuling out{StartDecision(Stage::kAddress, judged.outcome), std::nullopt, std::nullopt};
  if (!VetUnresolved(out.decision, guard(), judged.evaluation, admission.target())) return out;
  if (!SettleAddress(out.decision, admission.ask(), judged.outcome, judged.evaluation)) return out;
  out.decision.reason = "resolved_by_parent";
  DialPermit permit = Permit(admission, out.decision);
  permit.binding_.remote = true;
  permit.next_hop_ = next_hop;
  Hand(out, admission, std::move(permit));
  return out;
}

DialPermit Policy::Permit(const Admission& admission, const Decision& decision) const {
  DialPermit out;
  out.binding_.permit_id = NextPermitId();
  out.binding_.target = admission.target();
  out.generation_ = generation_;
  out.policy_ = decision.policy;
  out.rule_ = decision.rule;
  return out;
}

void Policy::Hand(AddressRuling& ruling, const Admission& admission, DialPermit permit) {
  if (admission.ask() == Ask::kRequest) ruling.request = Use<RequestPermit>(permit.binding());
  ruling.permit = std::move(permit);
}

template <class Permit>
Permit Policy::Use(const Binding& binding) {
  Permit out(binding.target);
  out.permit_id_ = binding.permit_id;
  return out;
}

HelloRuling Policy::DecideHello(const Binding& binding, const PolicyStack& stack, const Facts& facts) const {
  Judged judged(*program_, stack, FactsOf(binding, facts), binding.target);
  judged.outcome = OutcomeOf(*program_, stack, facts, binding, judged.outcome);
  HelloRuling out{StartDecision(Stage::kHello, judged.outcome), std::nullopt, std::nullopt};
  if (!judged.view->protocol.known()) {
    Deny(out.decision, Fault::kPolicyDenied, "no_protocol");
    return out;
  }
  const Protocol protocol = judged.view->protocol.value();
  if (protocol == Protocol::kTls) {
    const Fault against = AgainstHello(judged.evaluation, judged.view, binding.shown.get());
    if (against != Fault::kNone) {
      DenyByGuard(out.decision, "name_guard", against, TextOf(against).detail);
      return out;
    }
  }
  DecideUse(out.decision, judged.outcome, protocol);
  if (out.decision.verdict != Verdict::kInspect) NoteAudit(out.decision, judged.evaluation);
  if (out.decision.verdict == Verdict::kRelay) out.relay = Use<RelayPermit>(binding);
  if (out.decision.verdict == Verdict::kInspect) out.inspect = Use<InspectPermit>(binding);
  return out;
}

Ruling<RequestPermit> Policy::DecideRequest(const Binding& binding, const PolicyStack& stack,
                                            const Facts& facts) const {
  Ruling<RequestPermit> out{{}, std::nullopt};
  if (Misdirected(out.decision, binding.target, facts)) return out;
  Judged judged(*program_, stack, FactsOf(binding, facts), binding.target);
  judged.outcome = OutcomeOf(*program_, stack, facts, binding, judged.outcome);
  out.decision = StartDecision(Stage::kRequest, judged.outcome);
  if (Settle(out.decision, judged)) out.permit = Use<RequestPermit>(binding);
  return out;
}

Ruling<RequestPermit> Policy::Admit(const Admission& admission, const Facts& facts, const IpAddress& live_peer) const {
  const Target& target = admission.target();
  Ruling<RequestPermit> out{{}, std::nullopt};
  if (Misdirected(out.decision, target, facts)) return out;
  const std::span<const IpAddress> peer(&live_peer, 1);
  const Judged judged(*program_, admission.stack(), With(FactsOf(admission.ask(), facts), Addresses(peer)), target);
  out.decision = StartDecision(Stage::kRequest, judged.outcome);
  if (target.literal && *target.literal != live_peer) {
    DenyByGuard(out.decision, "address_guard", Fault::kAddressProhibited, "other_peer");
    return out;
  }
  if (Vet(out.decision, guard(), judged.evaluation, peer, target.port).empty()) return out;
  if (!Settle(out.decision, judged)) return out;
  out.permit = RequestPermit(target);
  out.permit->peer_ = live_peer;
  return out;
}

Ruling<RequestPermit> Policy::AdmitRemote(const Admission& admission, const Facts& facts,
                                          const ConfiguredTarget& next_hop) const {
  const Target& target = admission.target();
  Ruling<RequestPermit> out{{}, std::nullopt};
  if (Misdirected(out.decision, target, facts)) return out;
  const Facts known = With(FactsOf(admission.ask(), facts), Addresses::Absent());
  const Judged judged(*program_, admission.stack(), known, target);
  out.decision = StartDecision(Stage::kRequest, judged.outcome);
  if (!VetUnresolved(out.decision, guard(), judged.evaluation, target)) return out;
  if (!Settle(out.decision, judged)) return out;
  out.decision.reason = "resolved_by_parent";
  out.permit = RequestPermit(target);
  out.permit->next_hop_ = next_hop.name();
  return out;
}

bool Policy::OnlyInspects(const Admission& admission, const Facts& facts, const IpAddress& live_peer) const {
  const std::span<const IpAddress> peer(&live_peer, 1);
  bool inspects = false;
  for (const Protocol protocol : {Protocol::kTls, Protocol::kHttp, Protocol::kOther}) {
    Facts assumed = With(facts, Addresses(peer));
    assumed.protocol = protocol;
    const Judged judged(*program_, admission.stack(), assumed, admission.target());
    Decision decision;
    if (Vet(decision, guard(), judged.evaluation, peer, admission.target().port).empty()) return false;
    DecideUse(decision, judged.outcome, protocol);
    if (decision.verdict == Verdict::kRelay) return false;
    inspects |= decision.verdict == Verdict::kInspect;
  }
  return inspects;
}

Decision Policy::Reconsider(const Binding& binding, const std::optional<IpAddress>& peer, const PolicyStack& stack,
                            const Facts& facts, Live live) const {
  const Judged judged(*program_, stack, FactsOf(binding, facts), binding.target);
  const Outcome outcome = OutcomeOf(*program_, stack, facts, binding, judged.outcome);
  Decision out = StartDecision(live == Live::kRequest ? Stage::kRequest : Stage::kHello, outcome);
  Allow(out, Verdict::kContinue, outcome);
  const bool reached = !peer || !Vet(out, guard(), judged.evaluation, {&*peer, 1}, binding.target.port).empty();
  if (!outcome.can_allow) DenyByRules(out, outcome);
  if (!reached || !outcome.can_allow || (live == Live::kRequest && outcome.can_deny)) {
    Deny(out, Fault::kPolicyRevoked, "policy_revoked", std::move(out.message));
  } else if (live == Live::kRelayed && (outcome.can_deny || outcome.steer == RuleSpec::Inspection::kRequired)) {
    if (outcome.can_deny) NameDecider(out, outcome.first_unknown);
    Deny(out, Fault::kInspectionNowRequired, "inspection_now_required");
  }
  return out;
}

}  // namespace egret
