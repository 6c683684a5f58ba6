// How many connections may be open at a time: in all, from one client (ClientNetwork), on one listener. Exact across
// workers: atomics, and a striped table that is touched when a connection comes and when it goes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/chain/connection.h"
#include "source/chain/counters.h"

namespace egret {

// A count with a bound. Thread-safe.
class ConnectionCount {
 public:
  explicit ConnectionCount(uint64_t most) : most_(most) {}  // 0: no bound
  bool Take();
  // From here on; those that are open stay.
  void SetMost(uint64_t most) { most_.store(most, std::memory_order_relaxed); }
  uint64_t open() const { return open_.load(std::memory_order_relaxed); }
  void GiveBack() { open_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> most_;
  std::atomic<uint64_t> open_{0};
};

class ConnectionLimits;

// One connection's place in the counts, given back when it dies.
class ConnectionPlace final : public SourcePlace {
 public:
  ConnectionPlace(ConnectionPlace&& other) noexcept
      : limits_(std::exchange(other.limits_, nullptr)), source_(other.source_), listener_(std::move(other.listener_)) {}
  ConnectionPlace& operator=(ConnectionPlace&&) = delete;
  ~ConnectionPlace() override;
  bool MoveTo(const IpAddress& source) override;

 private:
  friend class ConnectionLimits;
  ConnectionPlace(ConnectionLimits& limits, std::optional<IpAddress> source, std::shared_ptr<ConnectionCount> listener)
      : limits_(&limits), source_(source), listener_(std::move(listener)) {}

  ConnectionLimits* limits_;
  std::optional<IpAddress> source_;  // nothing: not counted by its source
  std::shared_ptr<ConnectionCount> listener_;
};

// Outlives the places it gave.
class ConnectionLimits {
 public:
  ConnectionLimits(uint64_t total, uint64_t per_source) : total_(total), per_source_(per_source) {}  // 0: no bound

  // Or which limit is reached. `source`: nothing for who speaks for others, and will say for whom (MoveTo).
  Result<ConnectionPlace, Limit> Take(const std::optional<IpAddress>& source,
                                      std::shared_ptr<ConnectionCount> listener);

 private:
  friend class ConnectionPlace;
  struct Stripe {
    std::mutex mutex;
    std::map<IpAddress, uint64_t> open;
  };
  bool TakeSource(const std::optional<IpAddress>& source);
  void GiveBackSource(const std::optional<IpAddress>& source);
  Stripe& StripeOf(const IpAddress& client);

  ConnectionCount total_;
  const uint64_t per_source_;
  std::array<Stripe, 64> stripes_;
};

}  // namespace egret
