#include "source/policy/verdict.h"

#include <tuple>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

using Verdict = Decision::Verdict;

std::string_view ReasonOf(const Decider& decider) {
  if (decider.absent_policy) return "unknown_policy";
  if (decider.rule != nullptr) return decider.effect == Effect::kAllow && !decider.rule->allows ? "audited" : "rule";
  if (decider.effect == Effect::kAllow) return "audited";
  return decider.effect == Effect::kAbstain || decider.policy.empty() ? "nothing_allows" : "otherwise";
}

std::string_view RuleName(const Decider& decider) {
  return decider.rule != nullptr ? std::string_view(decider.rule->name) : "otherwise";
}

void SetAudit(Decision& decision, Decision::Audit audit, const Decider& decider) {
  decision.audit = audit;
  decision.audit_policy = decider.policy;
  decision.audit_rule = RuleName(decider);
}

}  // namespace

Decision StartDecision(Stage stage, const Outcome& outcome) {
  Decision out;
  out.stage = stage;
  out.can_allow = outcome.can_allow;
  out.can_deny = outcome.can_deny;
  return out;
}

void NameDecider(Decision& decision, const Decider& decider) {
  decision.policy = decider.policy;
  decision.rule = RuleName(decider);
  decision.reason = ReasonOf(decider);
  if (decider.rule != nullptr && decider.effect == Effect::kDeny) decision.message = decider.rule->message;
}

void Deny(Decision& decision, Fault fault, std::string_view reason, std::string message) {
  decision.verdict = Verdict::kDeny;
  decision.fault = fault;
  decision.reason = reason;
  decision.message = std::move(message);
}

void DenyByGuard(Decision& decision, std::string_view guard, Fault fault, std::string_view reason,
                 std::string message) {
  decision.policy.clear();
  decision.rule = guard;
  Deny(decision, fault, reason, std::move(message));
}

void DenyByRules(Decision& decision, const Outcome& outcome) {
  decision.verdict = Verdict::kDeny;
  decision.fault = Fault::kPolicyDenied;
  NameDecider(decision, outcome.denier);
}

void DenyUndecided(Decision& decision, const Outcome& outcome) {
  NameDecider(decision, outcome.first_unknown);
  Deny(decision, Fault::kPolicyDenied, "undecided");
}

void Allow(Decision& decision, Verdict verdict, const Outcome& outcome) {
  decision.verdict = verdict;
  NameDecider(decision, outcome.allower);
}

void NoteAudit(Decision& decision, const Evaluation& evaluation) {
  if (!evaluation.HasAudit()) return;
  const Outcome outcome = evaluation.Run(Evaluation::Mode::kAudited);
  const bool relayed = decision.verdict == Verdict::kRelay;
  if (relayed || decision.verdict == Verdict::kForward) {
    if (!outcome.can_allow)
      SetAudit(decision, Decision::Audit::kWouldDeny, outcome.denier);
    else if (outcome.can_deny)
      SetAudit(decision, relayed ? Decision::Audit::kWouldInspect : Decision::Audit::kWouldDeny, outcome.first_unknown);
  } else if (decision.can_allow ? !outcome.can_deny : outcome.can_allow) {
    SetAudit(decision, Decision::Audit::kWouldAllow, outcome.allower);
  }
}

std::vector<IpAddress> Vet(Decision& decision, const AddressGuard& guard, const Evaluation& evaluation,
                           std::span<const IpAddress> addresses, uint16_t port) {
  const bool filter = guard.mixed_answers() == AddressGuard::MixedAnswers::kFilter;
  std::vector<IpAddress> out;
  out.reserve(addresses.size());
  std::vector<const CidrSet*> opened;
  bool asked = false;
  Finding refused;
  IpAddress refused_address;
  for (const IpAddress& address : addresses) {
    Finding finding = guard.Judge(address, port);
    if (finding && !std::exchange(asked, true)) opened = evaluation.Opened();
    if (finding) finding = guard.Judge(address, port, opened);
    if (!finding) {
      out.push_back(address);
      continue;
    }
    if (!refused) std::tie(refused, refused_address) = std::pair(finding, address);
    if (!filter) break;
  }
  if (!refused || (filter && !out.empty())) return out;
  const IpAddress& named = refused.embedded ? *refused.embedded : refused_address;
  DenyByGuard(decision, "address_guard", Fault::kAddressProhibited, refused.reason,
              Remedy(refused_address, refused, evaluation.RulesThatDoNotOpen(named)));
  return {};
}

bool VetUnresolved(Decision& decision, const AddressGuard& guard, const Evaluation& evaluation, const Target& target) {
  if (target.literal) return !Vet(decision, guard, evaluation, {&*target.literal, 1}, target.port).empty();
  const std::string_view against = ReasonAgainstName(target.host);
  if (against.empty()) return true;
  DenyByGuard(decision, "address_guard", Fault::kAddressProhibited, against,
              Cat(target.host, " is this host or its metadata service, whoever resolves it."));
  return false;
}

bool SettleAddress(Decision& decision, Ask ask, const Outcome& outcome, const Evaluation& evaluation) {
  if (!outcome.can_allow)
    DenyByRules(decision, outcome);
  else if (ask == Ask::kTunnel)
    Allow(decision, Verdict::kContinue, outcome);
  else if (outcome.can_deny)
    DenyUndecided(decision, outcome);
  else
    Allow(decision, Verdict::kForward, outcome);
  if (decision.verdict != Verdict::kContinue) NoteAudit(decision, evaluation);
  return !decision.denied();
}

}  // namespace egret
