// What follows from the outcomes of a stage, from the guards and from the audit: the Decision, with the rule it names.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/failure.h"
#include "source/base/ip.h"
#include "source/policy/decision.h"
#include "source/policy/evaluate.h"
#include "source/policy/guard.h"
#include "source/policy/permit.h"

namespace egret {

// A decision of this stage with these outcomes, denied until a verdict is set.
Decision StartDecision(Stage stage, const Outcome& outcome);

// Sets rule, policy, reason and message from a decider.
void NameDecider(Decision& decision, const Decider& decider);

void Deny(Decision& decision, Fault fault, std::string_view reason, std::string message = {});
// By a guard: "address_guard" or "name_guard" stands where a rule would (a rule's name has no '_').
void DenyByGuard(Decision& decision, std::string_view guard, Fault fault, std::string_view reason,
                 std::string message = {});
// By the outcomes: nothing can allow.
void DenyByRules(Decision& decision, const Outcome& outcome);
// Something is still open where nothing may be.
void DenyUndecided(Decision& decision, const Outcome& outcome);
// Allowed for good.
void Allow(Decision& decision, Decision::Verdict verdict, const Outcome& outcome);

// Evaluates again with what is only audited, and says so where the end differs.
void NoteAudit(Decision& decision, const Evaluation& evaluation);

// The address guard over every address, with what the rules opened. Denies, and gives nothing, where one is refused
// (or, with FILTER, where none is left); else the addresses that may be dialled, in order.
std::vector<IpAddress> Vet(Decision& decision, const AddressGuard& guard, const Evaluation& evaluation,
                           std::span<const IpAddress> addresses, uint16_t port);

// Where a parent proxy resolves: a literal is judged, a name only where it means this host. False: denied.
bool VetUnresolved(Decision& decision, const AddressGuard& guard, const Evaluation& evaluation, const Target& target);

// What A does with outcomes once the guard has passed: a request is settled, a tunnel goes on. False: denied.
bool SettleAddress(Decision& decision, Ask ask, const Outcome& outcome, const Evaluation& evaluation);

}  // namespace egret
