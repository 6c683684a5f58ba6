#include "source/filters/rate_table.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace egret {

class RateTable::Tunnel {
 public:
  Tunnel(std::shared_ptr<RateTable> table, std::string key) : table_(std::move(table)), key_(std::move(key)) {}
  ~Tunnel() { table_->GiveBack(key_); }
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

 private:
  std::shared_ptr<RateTable> table_;  // a tunnel may outlive the filter that let it in
  std::string key_;
};

RateTable::RateTable(const RateLimits& limits)
    : limits_(limits),
      interval_ns_(limits.rate == 0 ? 0 : uint64_t{1'000'000'000} / limits.rate),
      keys_per_stripe_(std::max<size_t>(limits.keys / kStripes, 1)) {}

std::shared_ptr<RateTable> RateTable::Make(const RateLimits& limits) {
  return std::shared_ptr<RateTable>(new RateTable(limits));
}

RateTable::Stripe& RateTable::StripeOf(const std::string& key) {
  return stripes_[std::hash<std::string>()(key) % kStripes];
}

// A key whose bucket is full and that holds no tunnel is as good as one that never came. Each request looks at the two
// that rested longest, so the table shrinks by itself. In a full stripe one without tunnels goes before its time: at
// worst a key that came longest ago may spend its burst again.
void RateTable::Forget(Stripe& stripe, uint64_t now_ns) {
  constexpr int kLookedAt = 2, kLookedAtWhenFull = 16;
  const bool full = stripe.entries.size() >= keys_per_stripe_;
  bool found = false;
  auto next = stripe.by_age.begin();
  for (int i = 0; i < (full && !found ? kLookedAtWhenFull : kLookedAt) && next != stripe.by_age.end(); ++i) {
    const auto at = stripe.entries.find(**next);
    const bool rested = at->second.full_at_ns <= now_ns;
    if (at->second.tunnels != 0 || (!rested && (!full || found))) {
      ++next;
      continue;
    }
    next = stripe.by_age.erase(next);
    stripe.entries.erase(at);
    found = true;
  }
}

RateTable::Entry& RateTable::Touch(Stripe& stripe, const std::string& key, uint64_t now_ns) {
  if (const auto known = stripe.entries.find(key); known != stripe.entries.end()) {
    stripe.by_age.splice(stripe.by_age.end(), stripe.by_age, known->second.age);
    return known->second;
  }
  Forget(stripe, now_ns);
  const auto made = stripe.entries.try_emplace(key).first;
  made->second.age = stripe.by_age.insert(stripe.by_age.end(), &made->first);
  return made->second;
}

RateTable::Taken RateTable::Take(std::string_view name, bool tunnel, uint64_t now_ns) {
  std::string key(name);
  Stripe& stripe = StripeOf(key);
  const bool counts = tunnel && limits_.tunnels != 0;
  {
    const std::lock_guard lock(stripe.mutex);
    Entry& entry = Touch(stripe, key, now_ns);
    if (counts && entry.tunnels >= limits_.tunnels) return {Verdict::kTooManyTunnels, 0, nullptr};
    if (interval_ns_ != 0) {
      const uint64_t full_at = std::max(entry.full_at_ns, now_ns) + interval_ns_;
      const uint64_t latest = now_ns + interval_ns_ * limits_.burst;
      if (full_at > latest) return {Verdict::kTooMany, (full_at - latest + 999'999) / 1'000'000, nullptr};
      entry.full_at_ns = full_at;
    }
    if (!counts) return {};
    ++entry.tunnels;
  }
  return {Verdict::kTaken, 0, std::make_shared<Tunnel>(shared_from_this(), std::move(key))};
}

void RateTable::Return(std::string_view name) {
  const std::string key(name);
  Stripe& stripe = StripeOf(key);
  const std::lock_guard lock(stripe.mutex);
  const auto at = stripe.entries.find(key);
  if (at != stripe.entries.end()) at->second.full_at_ns -= std::min(at->second.full_at_ns, interval_ns_);
}

void RateTable::GiveBack(const std::string& key) {
  Stripe& stripe = StripeOf(key);
  const std::lock_guard lock(stripe.mutex);
  --stripe.entries.at(key).tunnels;  // there: a key that holds tunnels is never forgotten
}

size_t RateTable::keys() const {
  size_t keys = 0;
  for (const Stripe& stripe : stripes_) {
    const std::lock_guard lock(stripe.mutex);
    keys += stripe.entries.size();
  }
  return keys;
}

}  // namespace egret
