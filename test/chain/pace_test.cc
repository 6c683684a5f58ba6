#include "source/chain/pace.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace egret {
namespace {

constexpr uint64_t kBeginMs = 1'000'000, kLengthMs = 3000;

// Of `all`, what was due by each of the times, in ms since the beginning.
std::vector<size_t> DoneBy(size_t all, const std::vector<uint64_t>& times) {
  Pace pace(kBeginMs + kLengthMs);
  std::vector<size_t> done;
  size_t left = all;
  for (const uint64_t time : times) {
    left -= pace.Due(left, kBeginMs + time);
    done.push_back(all - left);
  }
  return done;
}

std::vector<uint64_t> Every(uint64_t step_ms) {
  std::vector<uint64_t> times;
  for (uint64_t time = 0; time <= kLengthMs; time += step_ms) times.push_back(time);
  return times;
}

TEST(Pace, IsEvenHoweverLongAStepTakes) {
  for (const uint64_t step : {Pace::kStepMs, uint64_t{20}, uint64_t{50}, uint64_t{100}}) {
    const std::vector<uint64_t> times = Every(step);
    const std::vector<size_t> done = DoneBy(2000, times);
    for (size_t i = 0; i < times.size(); ++i) {
      const double wanted = 2000.0 * static_cast<double>(times[i]) / kLengthMs;
      EXPECT_NEAR(static_cast<double>(done[i]), wanted, 2000.0 * Pace::kStepMs / kLengthMs + 1)
          << step << " " << times[i];
    }
  }
}

TEST(Pace, CatchesUpWhatAPauseHeldBackAndIsEvenFromThereOn) {
  const std::vector<size_t> done = DoneBy(3000, {0, 100, 1500, 2000, 2500, 3000});
  EXPECT_NEAR(static_cast<double>(done[2]), 1500, 20);
  EXPECT_NEAR(static_cast<double>(done[3]), 2000, 20);
  EXPECT_NEAR(static_cast<double>(done[4]), 2500, 20);
  EXPECT_EQ(done[5], 3000U);
}

TEST(Pace, OfLittleNothingIsForgotten) {
  const std::vector<size_t> done = DoneBy(3, Every(Pace::kStepMs));
  EXPECT_EQ(done.front(), 0U);
  EXPECT_EQ(DoneBy(3, {0, kLengthMs / 2}).back(), 1U);
  EXPECT_EQ(DoneBy(3, {0, kLengthMs}).back(), 3U);
}

TEST(Pace, OnceAStepWhereThereIsTimeForEach) {
  constexpr size_t kCount = 5;
  Pace pace(kBeginMs + Pace::kStepMs * (kCount - 1));
  for (size_t i = 0; i < kCount; ++i) EXPECT_EQ(pace.Due(kCount - i, kBeginMs + Pace::kStepMs * i), 1U);
}

}  // namespace
}  // namespace egret
