// Spreads what is left to do evenly over the time that is left, be it much or little.
#pragma once

#include <cstddef>
#include <cstdint>

namespace egret {

class Pace {
 public:
  static constexpr uint64_t kStepMs = 16;  // how often to ask what is due

  explicit Pace(uint64_t end_ms) : end_ms_(end_ms) {}
  // What is due now: all at the end.
  size_t Due(size_t left, uint64_t now_ms) {
    if (now_ms >= end_ms_) return left;
    const uint64_t steps = (end_ms_ - now_ms) / kStepMs + 1;
    owed_ += static_cast<double>(left) / static_cast<double>(steps);
    const auto due = static_cast<size_t>(owed_);
    owed_ -= static_cast<double>(due);
    return due;
  }

 private:
  uint64_t end_ms_;
  double owed_ = 0;
};

}  // namespace egret
