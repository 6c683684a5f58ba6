// The table of rate_limit: exact, shared by threads, bounded.
#include "source/filters/rate_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "source/base/strings.h"

namespace egret {
namespace {

using Verdict = RateTable::Verdict;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecond = 1000 * kMs;

int TakenOf(RateTable& table, int tries, uint64_t now_ns, std::string_view key = "a") {
  int taken = 0;
  for (int i = 0; i < tries; ++i) taken += table.Take(key, false, now_ns).verdict == Verdict::kTaken ? 1 : 0;
  return taken;
}

TEST(RateTable, TakesTheBurstAtOnceAndThenTheRate) {
  const auto table = RateTable::Make({.rate = 10, .burst = 5});
  EXPECT_EQ(TakenOf(*table, 20, kSecond), 5);
  EXPECT_EQ(TakenOf(*table, 20, kSecond + 99 * kMs), 0);
  EXPECT_EQ(TakenOf(*table, 20, kSecond + 100 * kMs), 1);
  EXPECT_EQ(TakenOf(*table, 20, kSecond + 400 * kMs), 3);
  EXPECT_EQ(TakenOf(*table, 20, 100 * kSecond), 5) << "no more than the burst is saved up";
}

TEST(RateTable, OverAnHourTheRateIsExact) {
  const auto table = RateTable::Make({.rate = 7, .burst = 3});
  int taken = 0;
  for (uint64_t ms = 0; ms < 3'600'000; ms += 20) taken += TakenOf(*table, 1, kSecond + ms * kMs);
  EXPECT_NEAR(taken, 7 * 3600 + 3, 1);
}

TEST(RateTable, SaysWhenTheNextOneWouldBeTaken) {
  const auto table = RateTable::Make({.rate = 2, .burst = 1});
  EXPECT_EQ(TakenOf(*table, 1, kSecond), 1);
  const uint64_t retry_ms = table->Take("a", false, kSecond + 100 * kMs).retry_ms;
  EXPECT_EQ(retry_ms, 400u);
  EXPECT_EQ(TakenOf(*table, 1, kSecond + (100 + retry_ms - 1) * kMs), 0);
  EXPECT_EQ(TakenOf(*table, 1, kSecond + (100 + retry_ms) * kMs), 1);
}

TEST(RateTable, KeysDoNotShareTheirTokens) {
  const auto table = RateTable::Make({.rate = 1, .burst = 2});
  EXPECT_EQ(TakenOf(*table, 9, kSecond, "greedy"), 2);
  EXPECT_EQ(TakenOf(*table, 2, kSecond, "polite"), 2);
}

TEST(RateTable, TunnelsCountUntilTheirTokenDies) {
  auto table = RateTable::Make({.tunnels = 2});
  auto first = table->Take("a", true, kSecond);
  const auto second = table->Take("a", true, kSecond);
  ASSERT_NE(first.tunnel, nullptr);
  EXPECT_EQ(table->Take("a", true, kSecond).verdict, Verdict::kTooManyTunnels);
  EXPECT_EQ(table->Take("b", true, kSecond).verdict, Verdict::kTaken);
  EXPECT_EQ(table->Take("a", false, kSecond).verdict, Verdict::kTaken) << "a plain request is no tunnel";
  first.tunnel.reset();
  auto third = table->Take("a", true, kSecond);
  EXPECT_EQ(third.verdict, Verdict::kTaken);
  table.reset();  // a tunnel outlives the configuration that let it in
}

TEST(RateTable, KeysThatRestedAreForgotten) {
  const auto table = RateTable::Make({.rate = 1000, .burst = 1});
  for (int i = 0; i < 10000; ++i) table->Take(Cat("key", i), false, kSecond + static_cast<uint64_t>(i) * kMs);
  EXPECT_LT(table->keys(), 700u) << "64 stripes with a few each";
}

TEST(RateTable, TheNumberOfKeysIsBoundedAndHeldTunnelsAreNeverForgotten) {
  const auto table = RateTable::Make({.rate = 1, .burst = 100, .tunnels = 1, .keys = 640});
  const auto held = table->Take("held", true, kSecond);
  for (int i = 0; i < 20000; ++i) table->Take(Cat("key", i), false, kSecond);  // none has rested
  EXPECT_LE(table->keys(), 640u);
  EXPECT_EQ(table->Take("held", true, kSecond).verdict, Verdict::kTooManyTunnels);
}

TEST(RateTable, IsExactOverThreads) {
  const auto table = RateTable::Make({.rate = 1, .burst = 1000, .tunnels = 100});
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      taken += TakenOf(*table, 1000, kSecond);
      for (int i = 0; i < 1000; ++i) (void)table->Take("t", true, kSecond);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
}

}  // namespace
}  // namespace egret
