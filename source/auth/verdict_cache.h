// Verdicts on secrets, found by their keyed hashes, for a while. Bounded: where it is full, the one that was put in
// longest ago goes. Thread-safe: a striped table, locked for a look-up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "source/auth/keyed_hash.h"

namespace egret {

template <class Verdict>
class VerdictCache {
 public:
  explicit VerdictCache(size_t most) : most_per_stripe_(most / kStripes + 1) {}

  // Times are of one clock of the caller's.
  std::optional<Verdict> Find(const KeyedHash::Value& key, uint64_t now) {
    Stripe& stripe = StripeOf(key);
    const std::lock_guard lock(stripe.mutex);
    const auto at = stripe.entries.find(key);
    if (at == stripe.entries.end() || at->second.ends <= now) return std::nullopt;
    return at->second.verdict;
  }

  // Until `ends`.
  void Put(const KeyedHash::Value& key, Verdict verdict, uint64_t ends) {
    Stripe& stripe = StripeOf(key);
    const std::lock_guard lock(stripe.mutex);
    const auto [at, is_new] = stripe.entries.insert_or_assign(key, Entry{std::move(verdict), ends});
    if (!is_new) return;
    stripe.by_age.push_back(key);
    if (stripe.by_age.size() <= most_per_stripe_) return;
    stripe.entries.erase(stripe.by_age.front());
    stripe.by_age.pop_front();
  }

 private:
  static constexpr size_t kStripes = 16;
  struct Hash {
    size_t operator()(const KeyedHash::Value& key) const {
      size_t out = 0;
      std::memcpy(&out, key.data(), sizeof out);
      return out;
    }
  };
  struct Entry {
    Verdict verdict;
    uint64_t ends;
  };
  struct Stripe {
    std::mutex mutex;
    std::unordered_map<KeyedHash::Value, Entry, Hash> entries;
    std::deque<KeyedHash::Value> by_age;  // all of `entries`, the oldest first
  };
  Stripe& StripeOf(const KeyedHash::Value& key) { return stripes_[key.back() % kStripes]; }

  const size_t most_per_stripe_;
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace egret
