#include "source/control/cohort.h"

#include <gtest/gtest.h>

#include <string>

namespace egret {
namespace {

// Other programs, replicas of other releases among them, have to come to the same.
TEST(Cohort, IsTheSameEverywhereAndAlways) {
  EXPECT_EQ(CohortOf("5f2c01aa93e7", "p1"), 48u);
  EXPECT_EQ(CohortOf("5f2c01aa93e7", "p2"), 61u);
  EXPECT_EQ(CohortOf("", ""), 92u);
}

TEST(Cohort, WhoIsInItStaysInItAsItGrows) {
  for (int proxy = 0; proxy < 200; ++proxy) {
    const std::string id = std::to_string(proxy);
    EXPECT_FALSE(IsInCohort("r", id, 0));
    for (uint32_t percent = 1; percent < 100; ++percent)
      EXPECT_LE(IsInCohort("r", id, percent), IsInCohort("r", id, percent + 1));
    EXPECT_TRUE(IsInCohort("r", id, 100));
  }
}

TEST(Cohort, IsAboutAsLargeAsItSaysAndAnotherForEachRelease) {
  int in_first = 0, in_both = 0;
  for (int proxy = 0; proxy < 10'000; ++proxy) {
    const std::string id = std::to_string(proxy);
    in_first += IsInCohort("first", id, 30) ? 1 : 0;
    in_both += IsInCohort("first", id, 30) && IsInCohort("second", id, 30) ? 1 : 0;
  }
  EXPECT_NEAR(in_first, 3'000, 150);
  EXPECT_NEAR(in_both, 900, 120);
}

}  // namespace
}  // namespace egret
