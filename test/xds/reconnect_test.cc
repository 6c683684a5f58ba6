#include "source/xds/reconnect.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace egret {
namespace {

TEST(Reconnect, TriesServersInOrderAndThenPauses) {
  Reconnect reconnect(3, 1);
  EXPECT_EQ(reconnect.server(), 0u);
  EXPECT_EQ(reconnect.Ended(), 0);
  EXPECT_EQ(reconnect.server(), 1u);
  EXPECT_EQ(reconnect.Ended(), 0);
  EXPECT_EQ(reconnect.server(), 2u);
  EXPECT_GE(reconnect.Ended(), Reconnect::kShortestMs);
  EXPECT_EQ(reconnect.server(), 0u);
}

TEST(Reconnect, PausesDoubleToABoundAndAreShortAgainAfterAnAnswer) {
  Reconnect reconnect(1, 1);
  int64_t longest = 1000;
  for (int i = 0; i < 20; ++i) {
    const int64_t pause = reconnect.Ended();
    EXPECT_GE(pause, longest / 2);
    EXPECT_LE(pause, longest);
    longest = std::min<int64_t>(2 * longest, Reconnect::kLongestMs);
  }
  reconnect.Answered();
  EXPECT_LE(reconnect.Ended(), 1000);
  EXPECT_GE(reconnect.Ended(), 1000);  // no answer since
}

TEST(Reconnect, PrefersTheFirstServerAgainAfterAnAnswer) {
  Reconnect reconnect(2, 1);
  reconnect.Ended();
  ASSERT_EQ(reconnect.server(), 1u);
  reconnect.Answered();
  EXPECT_GT(reconnect.Ended(), 0);
  EXPECT_EQ(reconnect.server(), 0u);
}

// A thousand that lose their server at one moment do not come back at one.
TEST(Reconnect, AFleetIsSpread) {
  std::set<int64_t> pauses;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Reconnect reconnect(1, seed);
    reconnect.Answered();
    pauses.insert(reconnect.Ended());
  }
  EXPECT_GT(pauses.size(), 300u);
}

}  // namespace
}  // namespace egret
