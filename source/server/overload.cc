#include "source/server/overload.h"

namespace egret {
namespace {

constexpr double kLeaveAt = 0.95;  // of the threshold

bool Holds(const std::optional<MemoryThreshold>& threshold, const MemoryReading& reading, bool entered) {
  if (!threshold) return false;
  const double factor = entered ? kLeaveAt : 1.0;
  if (threshold->percent == 0)
    return static_cast<double>(reading.resident_bytes) >= factor * static_cast<double>(threshold->bytes);
  if (reading.limit_bytes == 0) return false;
  return static_cast<double>(reading.used_bytes) >=
         factor * threshold->percent / 100.0 * static_cast<double>(reading.limit_bytes);
}

}  // namespace

Overload OverloadMonitor::Judge(const MemoryReading& reading) {
  if (Holds(thresholds_.hard, reading, level_ == Overload::kHard)) {
    level_ = Overload::kHard;
  } else if (Holds(thresholds_.soft, reading, level_ != Overload::kNone)) {
    level_ = Overload::kSoft;
  } else {
    level_ = Overload::kNone;
  }
  return level_;
}

}  // namespace egret
