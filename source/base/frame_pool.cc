#include "source/base/frame_pool.h"

#include <sys/mman.h>

namespace egret {
namespace {

// Empty runs that are kept for whatever size is wanted next, so that a steady coming and going asks nothing of the
// system.
constexpr size_t kMostSpare = 8;
struct Spare {
  Spare* next;
};
constinit thread_local Spare* first_spare = nullptr;
constinit thread_local size_t spares = 0;

void* TakeSpare() {
  Spare* const taken = first_spare;
  if (taken == nullptr) return nullptr;
  first_spare = taken->next;
  --spares;
  return taken;
}

bool KeepSpare(void* run) {
  if (spares == kMostSpare) return false;
  first_spare = new (run) Spare{first_spare};
  ++spares;
  return true;
}

// Twice as much is mapped, and what lies before and behind the aligned half is given back.
void* MapAligned(size_t bytes) {
  void* const mapped = mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) std::abort();
  char* const start = static_cast<char*>(mapped);
  const size_t before = -reinterpret_cast<uintptr_t>(start) & (bytes - 1);
  if (before > 0) munmap(start, before);
  munmap(start + before + bytes, bytes - before);
  return start + before;
}

}  // namespace

FramePool::Run* FramePool::AddRun(size_t size_class) {
  void* memory = TakeSpare();
  if (memory == nullptr) {
    memory = MapAligned(kRunBytes);
    ++runs_;
  }
  static_assert(sizeof(Run) <= kStep);
  const auto capacity = static_cast<uint32_t>((kRunBytes - kStep) / (size_class * kStep));
  Run* run =
      new (memory) Run{nullptr, nullptr, nullptr, static_cast<char*>(memory) + kStep, capacity, capacity, size_class};
  PutOn(run);
  return run;
}

// The last one of its size that has room stays: somebody will want it at once.
void FramePool::GiveBack(Run* empty) {
  if (empty->before == nullptr && empty->after == nullptr) return;
  TakeOff(empty);
  if (KeepSpare(empty)) return;
  munmap(empty, kRunBytes);
  --runs_;
}

}  // namespace egret
