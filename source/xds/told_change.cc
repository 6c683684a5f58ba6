#include "source/xds/told_change.h"

namespace egret {
namespace {

using control::v1::ChangedDecision;

void Fill(const PolicyChange::Side& side, control::v1::Decision& decision) {
  decision.set_allowed(side.verdict != "deny" && side.verdict != "challenge");
  decision.set_inspected(side.verdict == "inspect");
  decision.set_verdict(side.verdict);
  decision.set_policy(side.policy);
  decision.set_rule(side.rule);
}

PolicyChange::Side SideOf(const control::v1::Decision& side) { return {side.verdict(), side.policy(), side.rule()}; }

}  // namespace

ChangedDecision ToldOf(const PolicyChange& change, const ChangeCount& count) {
  ChangedDecision told;
  told.set_identity(change.who);
  told.set_destination(change.target);
  told.set_method(change.method);
  told.set_stage(change.stage);
  Fill(change.live, *told.mutable_live());
  Fill(change.candidate, *told.mutable_candidate());
  told.set_count(count.count);
  told.mutable_first()->set_seconds(count.first_unix);
  told.mutable_last()->set_seconds(count.last_unix);
  return told;
}

PolicyChange ChangeOf(const ChangedDecision& told) {
  return {told.identity(), told.destination(),  told.method(),
          told.stage(),    SideOf(told.live()), SideOf(told.candidate())};
}

ChangeCount CountOf(const ChangedDecision& told) {
  return {told.count(), told.first().seconds(), told.last().seconds()};
}

}  // namespace egret
