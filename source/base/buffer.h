// Read buffers, borrowed from the thread while bytes are in hand and given back before any wait: an idle connection
// holds none. Last in, first out, so the one that comes next is warm in the cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "source/base/counter.h"

namespace egret {

class Buffer {
 public:
  static constexpr size_t kSmall = size_t{16} << 10;   // heads, ordinary bodies
  static constexpr size_t kLarge = size_t{256} << 10;  // a relay that carries bulk

  // Borrowing never waits and never fails. At the cap of large buffers one gets a small one, and it is counted.
  explicit Buffer(size_t wanted = kSmall) : large_(wanted > kSmall && Pool::Get().large_out < max_large_per_thread) {
    Pool& pool = Pool::Get();
    if (wanted > kSmall && !large_) pool.refused.Add();
    pool.large_out += large_ ? 1 : 0;
    std::vector<std::unique_ptr<char[]>>& free = large_ ? pool.large : pool.small;
    if (free.empty()) {
      data_.reset(new char[size()]);
    } else {
      data_ = std::move(free.back());
      free.pop_back();
    }
  }
  ~Buffer() { GiveBack(); }
  Buffer(Buffer&& other) noexcept : data_(std::move(other.data_)), large_(other.large_) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      GiveBack();
      data_ = std::move(other.data_);
      large_ = other.large_;
    }
    return *this;
  }

  size_t size() const { return large_ ? kLarge : kSmall; }
  char* data() { return data_.get(); }
  std::span<char> span() { return {data_.get(), size()}; }

  // How often a large buffer was asked for at the cap, on this thread. Others may read it as long as the thread lives.
  static const Counter& refused() { return Pool::Get().refused; }
  // Gives this thread's spare buffers back to the heap.
  static void FreeUnused() {
    Pool::Get().small.clear();
    Pool::Get().large.clear();
  }

  // Set once, before the threads start.
  static inline size_t max_large_per_thread = 64;

 private:
  struct Pool {
    std::vector<std::unique_ptr<char[]>> small, large;
    size_t large_out = 0;
    Counter refused;
    static Pool& Get() {
      static thread_local Pool pool;
      return pool;
    }
  };
  static constexpr size_t kKeptSmall = 64, kKeptLarge = 8;

  void GiveBack() {
    if (!data_) return;
    Pool& pool = Pool::Get();
    pool.large_out -= large_ ? 1 : 0;
    std::vector<std::unique_ptr<char[]>>& free = large_ ? pool.large : pool.small;
    if (free.size() < (large_ ? kKeptLarge : kKeptSmall)) free.push_back(std::move(data_));
    data_.reset();
  }

  std::unique_ptr<char[]> data_;
  bool large_;
};

}  // namespace egret
