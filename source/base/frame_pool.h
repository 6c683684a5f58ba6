// Memory for coroutine frames: a free list for each size class of each thread, so that starting a task costs no malloc.
// Off under AddressSanitizer. A frame is freed on the thread that made it.
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
      if (Cell* cell = free_[size_class]) {
        free_[size_class] = cell->next;
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
    if (size_class < kClasses) {
      free_[size_class] = new (memory) Cell{free_[size_class]};
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
  static constexpr size_t kStep = 64;
  static constexpr size_t kClasses = 65;  // up to 4 KiB; a larger frame is malloc's
  static inline thread_local Cell* free_[kClasses] = {};
  static inline thread_local uint64_t live_bytes_ = 0;
};

}  // namespace egret
