// How much CPU time what is pushed may take from traffic, however often it is pushed. Pure.
#pragma once

#include <cstdint>

namespace egret {

// A tenth of the time that passes may be used, and up to a second of it saved: a few changes are taken up as they come,
// many together, since those that come meanwhile wait. Nobody waits for longer than a second for what was used before.
class CpuBudget {
 public:
  using Ms = int64_t;
  static constexpr int64_t kPart = 10;  // one of so many
  static constexpr int64_t kMostSavedUs = 1'000'000;
  static constexpr int64_t kMostOwedUs = 1'000'000 / kPart;

  explicit CpuBudget(Ms now) : at_(now) {}

  void Spend(int64_t cpu_us, Ms now);
  // When more may be used; in the past: at any time.
  Ms Due() const;

 private:
  int64_t left_us_ = kMostSavedUs;  // at that time
  Ms at_;
};

}  // namespace egret
