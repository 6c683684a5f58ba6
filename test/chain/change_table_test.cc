// What peers choose cannot make the table grow.
#include "source/chain/change_table.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

PolicyChange To(std::string target, std::string who = "ci") {
  PolicyChange change;
  change.who = std::move(who);
  change.target = std::move(target);
  change.stage = "target";
  change.live = {"continue", "web", "local"};
  change.candidate = {"deny", "web", "closed"};
  return change;
}

TEST(ChangeTableTest, TheSameIsCountedInOneRow) {
  ChangeTable table;
  EXPECT_TRUE(table.Add(To("a.test:443"), {2, 100, 110}));
  EXPECT_TRUE(table.Add(To("a.test:443"), {1, 90, 95}));
  EXPECT_TRUE(table.Add(To("a.test:443", "alice"), {1, 1, 1}));
  ASSERT_EQ(table.rows().size(), 2u);
  const ChangeCount& count = table.rows().at(To("a.test:443"));
  EXPECT_EQ(count.count, 3u);
  EXPECT_EQ(count.first_unix, 90);
  EXPECT_EQ(count.last_unix, 110);
}

TEST(ChangeTableTest, AnotherRuleOrStageIsAnotherRow) {
  ChangeTable table;
  PolicyChange change = To("a.test:443");
  table.Add(change, {1, 1, 1});
  change.candidate.rule = "other";
  table.Add(change, {1, 1, 1});
  change.stage = "hello";
  table.Add(change, {1, 1, 1});
  EXPECT_EQ(table.rows().size(), 3u);
}

TEST(ChangeTableTest, WhatFindsNoRowIsCounted) {
  ChangeTable table;
  for (size_t i = 0; i < ChangeTable::kMostRows; ++i) EXPECT_TRUE(table.Add(To(Cat("n", i, ".test:443")), {1, 1, 1}));
  EXPECT_FALSE(table.Add(To("more.test:443"), {3, 1, 1}));
  EXPECT_TRUE(table.Add(To("n7.test:443"), {1, 1, 1}));
  EXPECT_EQ(table.rows().size(), ChangeTable::kMostRows);
  EXPECT_EQ(table.overflow(), 3u);
}

TEST(ChangeTableTest, LongNamesAreCut) {
  ChangeTable table;
  table.Add(To(std::string(5000, 't'), std::string(5000, 'w')), {1, 1, 1});
  EXPECT_EQ(table.rows().begin()->first.who.size(), ChangeTable::kMostBytes);
  EXPECT_EQ(table.rows().begin()->first.target.size(), ChangeTable::kMostBytes);
}

}  // namespace
}  // namespace egret
