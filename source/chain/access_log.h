// The access log between the workers and the thread that writes it. A worker gathers lines and hands them over in
// blocks; it never waits for a disk or a pipe: what does not fit into the bounded queue is dropped and counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "source/event/loop.h"

namespace egret {

// Shared by all workers; thread-safe.
class LogQueue {
 public:
  static constexpr size_t kMaxBytes = size_t{16} << 20;

  // Takes a block of whole lines. False: dropped, and counted by line.
  bool Put(std::string block, uint64_t lines);
  // The writer's: waits for something, or for Close(). Empty once closed and drained.
  std::string Take();
  void Close();

  // Lines that were lost: no room here, or the writer's file would not take them.
  void CountDropped(uint64_t lines) { dropped_.fetch_add(lines, std::memory_order_relaxed); }
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::string> blocks_;
  size_t bytes_ = 0;
  bool closed_ = false;
  std::atomic<uint64_t> dropped_{0};
};

// A worker's end of it.
class AccessLog {
 public:
  explicit AccessLog(LogQueue& queue);
  ~AccessLog() { Flush(); }

  // Append one whole line to what this gives, then call Added().
  std::string& line_buffer() { return block_; }
  void Added();
  void Flush();

 private:
  static constexpr size_t kFlushBytes = size_t{64} << 10;
  static constexpr uint64_t kFlushMs = 100;
  struct FlushTimer : Timer {
    AccessLog* log = nullptr;
  };

  LogQueue& queue_;
  std::string block_;
  uint64_t lines_ = 0;
  FlushTimer timer_;
};

}  // namespace egret
