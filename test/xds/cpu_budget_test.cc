#include "source/xds/cpu_budget.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace egret {
namespace {

TEST(CpuBudget, ASecondIsSavedAndATenthOfWhatPasses) {
  CpuBudget budget(5000);
  EXPECT_LE(budget.Due(), 5000);
  budget.Spend(900'000, 5000);
  EXPECT_LE(budget.Due(), 5000);
  budget.Spend(150'000, 5000);
  EXPECT_EQ(budget.Due(), 5500);
  budget.Spend(1, 5500);  // all that was owed has been saved meanwhile
  EXPECT_EQ(budget.Due(), 5501);
}

TEST(CpuBudget, NoMoreIsSavedHoweverLongNothingIsUsed) {
  CpuBudget budget(0);
  budget.Spend(0, 3'600'000);
  budget.Spend(1'050'000, 3'600'000);
  EXPECT_EQ(budget.Due(), 3'600'500);
}

TEST(CpuBudget, NobodyWaitsForLongerThanASecond) {
  CpuBudget budget(0);
  budget.Spend(60'000'000, 60'000);
  EXPECT_EQ(budget.Due(), 61'000);
}

TEST(CpuBudget, InTheLongRunATenthIsUsed) {
  CpuBudget budget(0);
  int64_t now = 0, used = 0;
  while (now < 600'000) {
    budget.Spend(40'000, now += 40);
    used += 40;
    now = std::max(now, budget.Due());
  }
  EXPECT_NEAR(static_cast<double>(used) / static_cast<double>(now), 0.1, 0.002);
}

}  // namespace
}  // namespace egret
