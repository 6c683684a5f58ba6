// Counters that one thread writes and others read at a scrape: relaxed atomics without a lock prefix, so counting costs
// what a plain increment costs.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace egret {

// Only the owning thread calls Add.
class Counter {
 public:
  void Add(uint64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  uint64_t Read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void Add(int64_t n = 1) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  int64_t Read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Holds a gauge up by one for as long as it lives.
class GaugeHold {
 public:
  explicit GaugeHold(Gauge& gauge) : gauge_(&gauge) { gauge_->Add(1); }
  ~GaugeHold() {
    if (gauge_ != nullptr) gauge_->Add(-1);
  }
  GaugeHold(GaugeHold&& other) noexcept : gauge_(other.gauge_) { other.gauge_ = nullptr; }
  GaugeHold& operator=(GaugeHold&&) = delete;

 private:
  Gauge* gauge_;
};

// Sizes in bytes.
class SizeHistogram {
 public:
  static constexpr std::array<uint64_t, 9> kBounds = {uint64_t{1} << 10, uint64_t{1} << 12, uint64_t{1} << 14,
                                                      uint64_t{1} << 16, uint64_t{1} << 18, uint64_t{1} << 20,
                                                      uint64_t{1} << 22, uint64_t{1} << 24, uint64_t{1} << 26};

  void Observe(uint64_t bytes) {
    size_t bucket = 0;
    while (bucket < kBounds.size() && bytes > kBounds[bucket]) ++bucket;
    counts_[bucket].Add();
    sum_.Add(bytes);
  }
  // Not cumulative; the last one is what lies above all bounds.
  uint64_t Bucket(size_t i) const { return counts_[i].Read(); }
  uint64_t Sum() const { return sum_.Read(); }

 private:
  std::array<Counter, kBounds.size() + 1> counts_;
  Counter sum_;
};

// Durations in milliseconds, in the buckets that Prometheus is given in seconds.
class DurationHistogram {
 public:
  static constexpr std::array<uint64_t, 14> kBoundsMs = {1,   2,   5,    10,   25,   50,    100,
                                                         250, 500, 1000, 2500, 5000, 10000, 60000};

  void Observe(uint64_t ms) {
    size_t bucket = 0;
    while (bucket < kBoundsMs.size() && ms > kBoundsMs[bucket]) ++bucket;
    counts_[bucket].Add();
    sum_ms_.Add(ms);
  }
  // Not cumulative; the last one is what lies above all bounds.
  uint64_t Bucket(size_t i) const { return counts_[i].Read(); }
  uint64_t SumMs() const { return sum_ms_.Read(); }

 private:
  std::array<Counter, kBoundsMs.size() + 1> counts_;
  Counter sum_ms_;
};

}  // namespace egret
