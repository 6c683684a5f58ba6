// When memory counts as scarce. A level is entered at its threshold and left only well below it, so that it does not
// flicker. What workers do about it: Worker::SetOverload.
#pragma once

#include <cstdint>
#include <optional>

#include "source/chain/overload.h"
#include "source/server/memory.h"

namespace egret {

// Of what the group may use in percent, or of the process' resident memory in bytes.
struct MemoryThreshold {
  uint32_t percent = 0;  // 0: `bytes` counts
  uint64_t bytes = 0;
};

struct MemoryThresholds {
  std::optional<MemoryThreshold> soft, hard;
  bool any() const { return soft || hard; }
};

class OverloadMonitor {
 public:
  explicit OverloadMonitor(const MemoryThresholds& thresholds) : thresholds_(thresholds) {}
  Overload Judge(const MemoryReading& reading);
  Overload level() const { return level_; }

 private:
  MemoryThresholds thresholds_;
  Overload level_ = Overload::kNone;
};

}  // namespace egret
