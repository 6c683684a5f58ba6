// Memory for coroutine frames: a short free list for each size class of each thread, so that starting a task costs no
// malloc, and a burst of connections leaves its memory to whatever comes next. Off under AddressSanitizer. A frame is
// freed on the thread that made it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "source/base/sanitizer.h"

namespace egret {

class FramePool {
 public:
  static void* Get(size_t bytes) {
    live_bytes_ += bytes;
#ifndef EGRET_ASAN
    const size_t size_class = (bytes + kStep - 1) / kStep;
    if (size_class < kClasses) {
      List& list = free_[size_class];
      if (Cell* cell = list.first) {
        list.first = cell->next;
        --list.count;
        return cell;
      }
      bytes = size_class * kStep;
    }
#endif
    void* memory = std::malloc(bytes);
    if (memory == nullptr) std::abort();
    return memory;
  }

  static void Put(void* memory, size_t bytes) {
    live_bytes_ -= bytes;
#ifndef EGRET_ASAN
    const size_t size_class = (bytes + kStep - 1) / kStep;
    if (size_class < kClasses && free_[size_class].count < kMostFree) {
      List& list = free_[size_class];
      list.first = new (memory) Cell{list.first};
      ++list.count;
      return;
    }
#endif
    std::free(memory);
  }

  // Bytes of this thread's frames that are alive; a test's zero says that nothing leaked.
  static uint64_t live_bytes() { return live_bytes_; }

 private:
  struct Cell {
    Cell* next;
  };
  struct List {
    Cell* first;
    size_t count;
  };
  static constexpr size_t kMostFree = 128;  // of a class: as many tasks as a busy thread has under way in a turn
  static constexpr size_t kStep = 64;
  static constexpr size_t kClasses = 65;  // up to 4 KiB; a larger frame is malloc's
  static inline thread_local List free_[kClasses] = {};
  static inline thread_local uint64_t live_bytes_ = 0;
};

}  // namespace egret
