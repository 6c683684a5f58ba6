// What the relays of a thread hold and did.
#pragma once

#include "source/base/counter.h"

namespace egret {

struct RelayStats {
  Gauge parked_bytes;     // read, and waiting for a slow reader
  Gauge pipes;            // lent for splice()
  Counter spliced_bytes;  // of all bytes, those that never came to user space

  // Written by this thread only; valid, for others to read, as long as the thread lives.
  static RelayStats& OfThread() {
    static thread_local RelayStats stats;
    return stats;
  }
};

}  // namespace egret
