// Spreads what is left to do evenly over the time that is left, be it much or little, however long a step takes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace egret {

class Pace {
 public:
  static constexpr uint64_t kStepMs = 16;  // how often to ask what is due

  explicit Pace(uint64_t end_ms) : end_ms_(end_ms) {}
  // What is due since it was asked last, of what is `left`: all at the end.
  size_t Due(size_t left, uint64_t now_ms) {
    if (now_ms >= end_ms_) return left;
    const uint64_t since = asked_ms_ == 0 ? kStepMs : now_ms - asked_ms_;
    asked_ms_ = now_ms;
    owed_ += static_cast<double>(left) * static_cast<double>(since) / static_cast<double>(end_ms_ - now_ms + since);
    const auto due = static_cast<size_t>(owed_);
    owed_ -= static_cast<double>(due);
    return due;
  }

 private:
  uint64_t end_ms_;
  uint64_t asked_ms_ = 0;  // 0: not yet
  double owed_ = 0;
};

}  // namespace egret
