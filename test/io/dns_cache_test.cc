#include "source/io/dns_cache.h"

#include <gtest/gtest.h>

#include "source/base/strings.h"

namespace egret {
namespace {

DnsRecord Until(uint64_t expires_ms) { return {{IpAddress::V4(0xc0000201)}, Fault::kNone, expires_ms}; }

TEST(DnsCache, D08_AHundredThousandNamesFillNoMorePlacesThanThereAre) {
  DnsCache cache(10000);
  size_t early = 0;
  for (int i = 0; i < 100000; ++i) early += cache.Put(Cat("n", i, ".test"), Until(1000), 0) ? 1 : 0;
  EXPECT_EQ(cache.size(), 10000u);
  EXPECT_EQ(early, 90000u);
  EXPECT_EQ(cache.Find("n89999.test", 0), nullptr);
  EXPECT_NE(cache.Find("n90000.test", 0), nullptr);
}

TEST(DnsCache, TheNameUsedLeastRecentlyGoesFirst) {
  DnsCache cache(2);
  cache.Put("a", Until(10), 0);
  cache.Put("b", Until(10), 0);
  ASSERT_NE(cache.Find("a", 0), nullptr);
  EXPECT_TRUE(cache.Put("c", Until(10), 0));
  EXPECT_EQ(cache.Find("b", 0), nullptr);
  EXPECT_NE(cache.Find("a", 0), nullptr);
}

TEST(DnsCache, ARecordEndsAtItsTimeAndIsReplacedInItsPlace) {
  DnsCache cache(2);
  cache.Put("a", Until(10), 0);
  EXPECT_NE(cache.Find("a", 9), nullptr);
  EXPECT_FALSE(cache.Put("a", Until(20), 9));
  EXPECT_NE(cache.Find("a", 19), nullptr);
  EXPECT_EQ(cache.Find("a", 20), nullptr);
  EXPECT_EQ(cache.size(), 0u);
}

TEST(DnsCache, AnExpiredNameThatMakesRoomIsNoLoss) {
  DnsCache cache(1);
  cache.Put("a", Until(10), 0);
  EXPECT_FALSE(cache.Put("b", Until(30), 20));
  EXPECT_EQ(cache.size(), 1u);
}

TEST(DnsCache, OneOfNoSizeKeepsNothing) {
  DnsCache cache(0);
  EXPECT_FALSE(cache.Put("a", Until(10), 0));
  EXPECT_EQ(cache.Find("a", 0), nullptr);
}

}  // namespace
}  // namespace egret
