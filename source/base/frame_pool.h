// Memory for coroutine frames, and what else comes and goes with a request, of one thread: starting a task costs no
// malloc. Frames of one size stand together, in runs that go back to the system once nothing lives in them. So what a
// burst of connections used is not held for ever by the few small things of each that live on. Off under
// AddressSanitizer. A frame is freed on the thread that made it.
//
//      shelf of a size ──► run: [used, free] [frame] [ ] [frame] [ ] ...   ──► run ...     (full runs: on no shelf)
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
      Run* run = shelves_[size_class];
      if (run == nullptr) run = AddRun(size_class);
      void* cell = run->free;
      if (cell != nullptr) {
        run->free = run->free->next;
      } else {
        cell = run->untouched;
        run->untouched += size_class * kStep;
      }
      if (--run->room == 0) TakeOff(run);
      return cell;
    }
#endif
    void* memory = std::malloc(bytes);
    if (memory == nullptr) std::abort();
    return memory;
  }

  static void Put(void* memory, size_t bytes) {
    live_bytes_ -= bytes;
#ifndef EGRET_ASAN
    if ((bytes + kStep - 1) / kStep < kClasses) {
      const size_t into_run = reinterpret_cast<uintptr_t>(memory) & (kRunBytes - 1);
      Run* run = reinterpret_cast<Run*>(static_cast<char*>(memory) - into_run);
      run->free = new (memory) Cell{run->free};
      if (run->room++ == 0) PutOn(run);
      if (run->room == run->capacity) GiveBack(run);
      return;
    }
#endif
    std::free(memory);
  }

  // Bytes of this thread's frames that are alive; a test's zero says that nothing leaked.
  static uint64_t live_bytes() { return live_bytes_; }
  // Bytes of the runs that this thread holds.
  static uint64_t held_bytes() { return runs_ * kRunBytes; }

 private:
  struct Cell {
    Cell* next;
  };
  struct Run {
    Run *before, *after;  // on the shelf
    Cell* free;           // given back
    char* untouched;      // from here on nothing was ever given out
    uint32_t room, capacity;
    size_t size_class;
  };
  static constexpr size_t kRunBytes = size_t{64} << 10;  // and aligned to it
  static constexpr size_t kStep = 64;
  static constexpr size_t kClasses = 129;  // up to 8 KiB; what is larger is malloc's

  static Run* AddRun(size_t size_class);
  static void GiveBack(Run* empty);
  static void PutOn(Run* run) {
    Run*& shelf = shelves_[run->size_class];
    run->before = nullptr;
    run->after = shelf;
    if (shelf != nullptr) shelf->before = run;
    shelf = run;
  }
  static void TakeOff(Run* run) {
    (run->before != nullptr ? run->before->after : shelves_[run->size_class]) = run->after;
    if (run->after != nullptr) run->after->before = run->before;
  }

  static inline constinit thread_local Run* shelves_[kClasses] = {};  // runs that have room
  static inline constinit thread_local uint64_t live_bytes_ = 0;
  static inline constinit thread_local uint64_t runs_ = 0;
};

}  // namespace egret
