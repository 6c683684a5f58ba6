// The table of decisions: one entry a rule, and a bound.
#include "source/chain/counters.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace egret {
namespace {

TEST(DecisionCountsTest, CountsEachRuleActionAndStageByItself) {
  DecisionCounts counts;
  counts.Add({"p", "r", "allow", "A"});
  counts.Add({"p", "r", "allow", "A"});
  counts.Add({"p", "r", "deny", "A"});
  counts.Add({"p", "r", "allow", "R"});
  counts.Add({"pr", "", "allow", "A"});
  std::map<std::string, uint64_t> seen;
  counts.ForEach([&](const DecisionCounts::Key& key, uint64_t count) {
    seen[key.policy + "/" + key.rule + "/" + key.action + "/" + key.stage] = count;
  });
  EXPECT_EQ(seen, (std::map<std::string, uint64_t>{
                      {"p/r/allow/A", 2}, {"p/r/deny/A", 1}, {"p/r/allow/R", 1}, {"pr//allow/A", 1}}));
}

TEST(DecisionCountsTest, O07_MoreRulesThanTheBoundAreCountedTogetherAndNoneIsLost) {
  DecisionCounts counts;
  constexpr uint64_t kRules = 3 * DecisionCounts::kMost;
  for (int round = 0; round < 2; ++round)
    for (uint64_t i = 0; i < kRules; ++i) counts.Add({"p", std::to_string(i), i % 2 == 0 ? "allow" : "deny", "A"});
  size_t entries = 0;
  uint64_t total = 0, others = 0;
  counts.ForEach([&](const DecisionCounts::Key& key, uint64_t count) {
    ++entries;
    total += count;
    if (key.rule == "other") others += count;
    if (key.rule == "0") EXPECT_EQ(count, 2u);
  });
  EXPECT_EQ(entries, DecisionCounts::kMost + 2);
  EXPECT_EQ(total, 2 * kRules);
  EXPECT_EQ(others, 2 * (kRules - DecisionCounts::kMost));
}

}  // namespace
}  // namespace egret
