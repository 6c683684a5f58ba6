// How often each key came and how many tunnels it holds, exact over all workers: a striped table, locked once a request
// for a look-up and a few additions. The number of keys is bounded; those that have nothing left to remember are
// forgotten as others come.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace egret {

struct RateLimits {
  uint32_t rate = 0;     // requests a second; 0: no limit of requests
  uint32_t burst = 1;    // requests at once, after a rest
  uint32_t tunnels = 0;  // at a time; 0: no limit
  size_t keys = 131072;  // remembered; beyond it the one that came longest ago is forgotten
};

class RateTable : public std::enable_shared_from_this<RateTable> {
 public:
  enum class Verdict : uint8_t { kTaken, kTooMany, kTooManyTunnels };
  struct Taken {
    Verdict verdict = Verdict::kTaken;
    uint64_t retry_ms = 0;               // kTooMany: when the next one would be taken
    std::shared_ptr<const void> tunnel;  // where one was asked for and given: counted until this dies
  };

  static std::shared_ptr<RateTable> Make(const RateLimits& limits);

  // Thread-safe. `now_ns` of a clock that all callers share and that never goes back by much.
  Taken Take(std::string_view key, bool tunnel, uint64_t now_ns);
  // A request that was taken turned out not to count.
  void Return(std::string_view key);
  size_t keys() const;

 private:
  class Tunnel;
  // The bucket as one time (GCRA): when it will be full again. A request puts it off by 1/rate; one that would put it
  // off by more than burst/rate from now is too many.
  struct Entry {
    uint64_t full_at_ns = 0;
    uint32_t tunnels = 0;
    std::list<const std::string*>::iterator age;
  };
  struct Stripe {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Entry> entries;
    std::list<const std::string*> by_age;  // keys of `entries`, the one that came longest ago first
  };
  static constexpr size_t kStripes = 64;

  explicit RateTable(const RateLimits& limits);
  Stripe& StripeOf(const std::string& key);
  Entry& Touch(Stripe& stripe, const std::string& key, uint64_t now_ns);
  void Forget(Stripe& stripe, uint64_t now_ns);
  void GiveBack(const std::string& key);

  const RateLimits limits_;
  const uint64_t interval_ns_;
  const size_t keys_per_stripe_;
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace egret
