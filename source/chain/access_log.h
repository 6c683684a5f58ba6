// The access log between the workers and the thread that writes it. A worker gathers lines and hands them over in
// blocks; it never waits for a disk or a pipe: what does not fit into the bounded queue is dropped and counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/chain/log_format.h"
#include "source/event/loop.h"

namespace egret {

// Where lines go, and how they are written: each distinct format once, whatever the number of sinks.
struct LogPlan {
  struct Sink {
    std::string path;
    size_t format = 0;  // of `formats`
  };
  std::vector<Sink> sinks;
  std::vector<std::optional<LogFormat>> formats;  // nothing: JSON
  bool fingerprints = false;                      // JSON lines are to hold them even where no policy asks
};

// Shared by all workers; thread-safe.
class LogQueue {
 public:
  struct Block {
    size_t format = 0;
    std::string text;  // whole lines
  };

  static constexpr size_t kMaxBytes = size_t{16} << 20;

  LogQueue() : LogQueue(std::vector<std::optional<LogFormat>>(1)) {}
  explicit LogQueue(std::vector<std::optional<LogFormat>> formats, bool fingerprints = false);

  const std::vector<std::optional<LogFormat>>& formats() const { return formats_; }
  // Whether some format tells of fingerprints.
  bool fingerprints() const { return fingerprints_; }
  // False: dropped, and counted by line.
  bool Put(Block block, uint64_t lines);
  // The writer's: waits for something, or for Close(). Empty once closed and drained.
  Block Take();
  void Close();

  // Lines that were lost: no room here, or the writer's file would not take them.
  void CountDropped(uint64_t lines) { dropped_.fetch_add(lines, std::memory_order_relaxed); }
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  const std::vector<std::optional<LogFormat>> formats_;
  const bool fingerprints_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Block> blocks_;
  size_t bytes_ = 0;
  bool closed_ = false;
  std::atomic<uint64_t> dropped_{0};
};

// A worker's end of it.
class AccessLog {
 public:
  explicit AccessLog(LogQueue& queue);
  ~AccessLog() { Flush(); }

  // Writes the record's line in every format. JSON alone tells of a tunnel that opens; text is of what ended.
  void Write(const ExchangeRecord& record, std::string_view event, uint64_t duration_ms);
  void Flush();

  bool fingerprints() const { return queue_.fingerprints(); }

 private:
  static constexpr size_t kFlushBytes = size_t{64} << 10;
  static constexpr uint64_t kFlushMs = 100;
  struct FlushTimer : Timer {
    AccessLog* log = nullptr;
  };

  struct Gathered {
    std::string text;
    uint64_t lines = 0;
  };
  void HandOver(size_t format);

  LogQueue& queue_;
  std::vector<Gathered> gathered_;  // by format
  FlushTimer timer_;
};

}  // namespace egret
