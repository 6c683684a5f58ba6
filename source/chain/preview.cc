#include "source/chain/preview.h"

#include <string>

namespace egret {
namespace {

PolicyChange::Side SideOf(const Decision& decision) {
  return {std::string(NameOf(decision.verdict)), decision.policy, decision.rule};
}

std::string WhoAsked(const Facts& facts) {
  const bool named = facts.identity.known() && facts.identity.value()->named();
  return named ? std::string(facts.identity.value()->Name()) : facts.source.ToString();
}

}  // namespace

const Policy* Preview::Candidate(uint64_t now_ms, const ExchangeRecord* record) {
  if (record != nullptr && record->previewed == number_) return nullptr;
  if (const uint64_t second = now_ms / 1000; second != second_) {
    second_ = second;
    asked_ = 0;
  }
  if (asked_ == kMostASecond) {
    ++gathered_.skipped;
    return nullptr;
  }
  ++asked_;
  ++gathered_.decisions;
  return candidate_.get();
}

void Preview::Compare(const Facts& facts, const Target& target, ExchangeRecord* record, const Decision& live,
                      const Decision& candidate) {
  if (live.verdict == candidate.verdict) return;
  if (record != nullptr) record->previewed = number_;
  PolicyChange change;
  change.who = WhoAsked(facts);
  change.target = target.ToString();
  if (record != nullptr) change.method = record->method;
  change.stage = NameOf(live.stage);
  change.live = SideOf(live);
  change.candidate = SideOf(candidate);
  gathered_.table.Add(std::move(change), {1, facts.now, facts.now});
}

Preview::Gathered Preview::Take() { return std::exchange(gathered_, {}); }

}  // namespace egret
