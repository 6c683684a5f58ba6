// What is followed, and how much of it is kept.
#include "source/chain/log_tail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "source/policy/pattern.h"

namespace egret {
namespace {

void Fill(ExchangeRecord& record, std::string target, std::string_view action = "deny") {
  record.target = std::move(target);
  record.identity = "ci";
  record.decision.verdict = action == "allow" ? Decision::Verdict::kRelay : Decision::Verdict::kDeny;
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
  LogFilter filter{.verdict = "deny", .identity = "ci", .policy = "web", .rule = "closed"};
  EXPECT_TRUE(Wants(filter, "a.test:443"));
  EXPECT_FALSE(Wants(filter, "a.test:443", "allow"));
  filter.rule = "open";
  EXPECT_FALSE(Wants(filter, "a.test:443"));
  EXPECT_FALSE(Wants({.identity = "c"}, "a.test:443"));
}

TEST(LogTailTest, WhatNobodyAskedForIsFollowedByADash) {
  ExchangeRecord record;
  Fill(record, "a.test:443");
  const LogFilter nobody{.identity = "-"}, anybody;
  EXPECT_FALSE(nobody.Wants(record));
  record.identity.clear();
  EXPECT_TRUE(nobody.Wants(record));
  EXPECT_TRUE(anybody.Wants(record));
  EXPECT_FALSE(LogFilter{.identity = "ci"}.Wants(record));
}

TEST(LogTailTest, HowItIsAllowedIsAVerdictToo) {
  EXPECT_TRUE(Wants({.verdict = "allow"}, "a.test:443", "allow"));
  EXPECT_TRUE(Wants({.verdict = "relay"}, "a.test:443", "allow"));
  EXPECT_FALSE(Wants({.verdict = "inspect"}, "a.test:443", "allow"));
  EXPECT_FALSE(Wants({.verdict = "deny"}, "a.test:443", ""));  // nothing was decided
  EXPECT_TRUE(IsVerdict("relay"));
  EXPECT_FALSE(IsVerdict("continue"));
}

TEST(LogTailTest, DecisionsAndLinesOfTheLogAreFollowedApart) {
  ExchangeRecord record;
  Fill(record, "a.test:443");
  LogTail log(1, {}), decisions(2, {.decisions = true});
  for (LogTail* tail : {&log, &decisions}) {
    tail->Add(record, "end", 1);
    tail->AddDecision(record, 0);
  }
  EXPECT_NE(log.Take().text.find(R"("event":"end")"), std::string::npos);
  EXPECT_EQ(decisions.Take().text,
            R"({"time":"1970-01-01T00:00:00.000000Z","event":"decision","kind":"request","request_id":"",)"
            R"("listener":"","source":"","identity":"ci","target":"a.test:443","verdict":"deny","decision":"deny",)"
            R"("policy":"web","rule":"closed"})"
            "\n");
}

TEST(LogTailTest, TextIsLookedForInTheWholeLineAndNowhereElse) {
  LogTail tail(1, {.contains = R"("path":"/wanted")"});
  ExchangeRecord record;
  Fill(record, "a.test:443");
  for (const std::string_view path : {"/wanted", "/other"}) {
    record.path = path;
    tail.Add(record, "end", 1);
  }
  const std::string text = tail.Take().text;
  EXPECT_NE(text.find("/wanted"), std::string::npos);
  EXPECT_EQ(text.find("/other"), std::string::npos);
}

TEST(LogTailTest, WhatIsNotLookedForIsNotMissed) {
  LogTail tail(1, {.contains = "wanted"});
  ExchangeRecord record;
  Fill(record, "a.test:443");
  record.path = "/wanted" + std::string(10'000, 'p');
  for (int i = 0; i < 100; ++i) tail.Add(record, "end", 1);
  const uint64_t dropped = tail.Take().dropped;
  EXPECT_GT(dropped, 0u);
  for (int i = 0; i < 100; ++i) tail.Add(record, "end", 1);
  record.path = "/other";
  tail.Add(record, "end", 1);
  EXPECT_EQ(tail.Take().dropped, dropped);
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
