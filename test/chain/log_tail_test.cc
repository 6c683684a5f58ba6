// What is followed, and how much of it is kept.
#include "source/chain/log_tail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "source/policy/pattern.h"

namespace egret {
namespace {

void Fill(ExchangeRecord& record, std::string target, std::string_view action = "deny") {
  record.target = std::move(target);
  record.decision.action = action;
  record.decision.policy = "web";
  record.decision.rule = "closed";
}

bool Wants(const LogFilter& filter, std::string target, std::string_view action = "deny") {
  ExchangeRecord record;
  Fill(record, std::move(target), action);
  return filter.Wants(record);
}

TEST(LogTailTest, AllOfTheFilterHasToHold) {
  EXPECT_TRUE(Wants({}, ""));
  LogFilter filter{.decision = "deny", .policy = "web", .rule = "closed"};
  EXPECT_TRUE(Wants(filter, "a.test:443"));
  EXPECT_FALSE(Wants(filter, "a.test:443", "allow"));
  filter.rule = "open";
  EXPECT_FALSE(Wants(filter, "a.test:443"));
}

TEST(LogTailTest, HostsAreThoseOfTheTarget) {
  LogFilter below;
  below.host = *ParsePattern("*.a.test");
  EXPECT_TRUE(Wants(below, "www.a.test:443"));
  EXPECT_FALSE(Wants(below, "a.test:443"));
  EXPECT_FALSE(Wants(below, "www.a.test.b.test:443"));
  const LogFilter address{.address = "2001:db8::1"};
  EXPECT_TRUE(Wants(address, "[2001:db8::1]:443"));
  EXPECT_FALSE(Wants(address, "a.test:443"));
}

TEST(LogTailTest, WhatIsNotTakenInTimeIsCounted) {
  LogTail tail(1, {});
  ExchangeRecord record;
  Fill(record, "a.test:443");
  record.path = std::string(10'000, 'p');
  constexpr size_t kLines = 100;
  for (size_t i = 0; i < kLines; ++i) tail.Add(record, "end", 1);
  LogTail::Lines lines = tail.Take();
  EXPECT_LE(lines.text.size(), LogTail::kMostBytes);
  const auto kept = static_cast<size_t>(std::count(lines.text.begin(), lines.text.end(), '\n'));
  EXPECT_GT(kept, 10u);
  EXPECT_EQ(kept + lines.dropped, kLines);
  tail.Add(record, "end", 1);
  lines = tail.Take();
  EXPECT_EQ(lines.dropped, 0u);
  EXPECT_EQ(std::count(lines.text.begin(), lines.text.end(), '\n'), 1);
}

}  // namespace
}  // namespace egret
