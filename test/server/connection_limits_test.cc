// Connection limits: each bound is exact, and a place is given back once.
#include "source/server/connection_limits.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

namespace egret {
namespace {

std::shared_ptr<ConnectionCount> Unbounded() { return std::make_shared<ConnectionCount>(0); }

TEST(ConnectionLimits, RefusesOneMoreThanTheTotal) {
  ConnectionLimits limits(2, 0);
  std::optional first = limits.Take(IpAddress::V4(1), Unbounded());
  auto second = limits.Take(IpAddress::V4(2), Unbounded());
  EXPECT_TRUE(*first && second);
  const auto refused = limits.Take(IpAddress::V4(3), Unbounded());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Limit::kConnections);
  first.reset();
  EXPECT_TRUE(limits.Take(IpAddress::V4(3), Unbounded()));
}

TEST(ConnectionLimits, CountsEachSourceApart) {
  ConnectionLimits limits(0, 1);
  const auto held = limits.Take(IpAddress::V4(1), Unbounded());
  EXPECT_TRUE(held);
  EXPECT_FALSE(limits.Take(IpAddress::V4(1), Unbounded()));
  EXPECT_TRUE(limits.Take(IpAddress::V4(2), Unbounded()));
}

TEST(ConnectionLimits, OfIPv6AddressesTheirNetworkCounts) {
  ConnectionLimits limits(0, 1);
  const auto held = limits.Take(IpAddress::Parse("2001:db8::1"), Unbounded());
  EXPECT_TRUE(held);
  EXPECT_FALSE(limits.Take(IpAddress::Parse("2001:db8::ffff:ffff:ffff:ffff"), Unbounded()));
  EXPECT_TRUE(limits.Take(IpAddress::Parse("2001:db8:0:1::1"), Unbounded()));
}

TEST(ConnectionLimits, WhoSpeaksForOthersIsCountedAsTheOtherOnceItIsKnown) {
  ConnectionLimits limits(0, 1);
  auto a = limits.Take(std::nullopt, Unbounded());
  auto b = limits.Take(std::nullopt, Unbounded());
  ASSERT_TRUE(a && b);
  EXPECT_TRUE(a->MoveTo(IpAddress::V4(1)));
  EXPECT_FALSE(b->MoveTo(IpAddress::V4(1)));
  EXPECT_TRUE(b->MoveTo(IpAddress::V4(2)));
  EXPECT_TRUE(b->MoveTo(IpAddress::V4(3)));  // and gives its old place back
  EXPECT_TRUE(limits.Take(IpAddress::V4(2), Unbounded()));
  EXPECT_FALSE(limits.Take(IpAddress::V4(3), Unbounded()));
}

TEST(ConnectionLimits, ARefusalByTheListenerLeavesTheOtherCountsAsTheyWere) {
  ConnectionLimits limits(2, 1);
  const auto full = std::make_shared<ConnectionCount>(1);
  const auto held = limits.Take(IpAddress::V4(1), full);
  EXPECT_FALSE(limits.Take(IpAddress::V4(2), full));
  EXPECT_TRUE(limits.Take(IpAddress::V4(2), Unbounded()));
}

TEST(ConnectionLimits, HoldsWhileManyThreadsComeAndGo) {
  ConnectionLimits limits(3, 0);
  const auto listener = Unbounded();
  std::atomic<int> open{0}, most{0};
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        if (const auto place = limits.Take(IpAddress::V4(t), listener)) {
          const int now = open.fetch_add(1) + 1;
          for (int seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          open.fetch_sub(1);
        }
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), 3);
  EXPECT_TRUE(limits.Take(IpAddress::V4(9), listener));
}

}  // namespace
}  // namespace egret
