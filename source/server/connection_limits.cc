#include "source/server/connection_limits.h"

namespace egret {

bool ConnectionCount::Take() {
  if (open_.fetch_add(1, std::memory_order_relaxed) < most_ || most_ == 0) return true;
  GiveBack();
  return false;
}

ConnectionPlace::~ConnectionPlace() {
  if (limits_ == nullptr) return;
  listener_->GiveBack();
  limits_->GiveBackSource(source_);
  limits_->total_.GiveBack();
}

Result<ConnectionPlace, Limit> ConnectionLimits::Take(const IpAddress& source,
                                                      std::shared_ptr<ConnectionCount> listener) {
  if (!total_.Take()) return Limit::kConnections;
  Limit hit = Limit::kConnectionsPerSource;
  if (TakeSource(source)) {
    if (listener->Take()) return ConnectionPlace(*this, source, std::move(listener));
    hit = Limit::kConnectionsPerListener;
    GiveBackSource(source);
  }
  total_.GiveBack();
  return hit;
}

ConnectionLimits::Stripe& ConnectionLimits::StripeOf(const IpAddress& source) {
  uint64_t hash = 0;
  for (const uint8_t byte : source.bytes()) hash = hash * 31 + byte;
  return stripes_[hash % stripes_.size()];
}

bool ConnectionLimits::TakeSource(const IpAddress& source) {
  if (per_source_ == 0) return true;
  Stripe& stripe = StripeOf(source);
  const std::lock_guard lock(stripe.mutex);
  uint64_t& open = stripe.open[source];
  if (open >= per_source_) return false;
  ++open;
  return true;
}

void ConnectionLimits::GiveBackSource(const IpAddress& source) {
  if (per_source_ == 0) return;
  Stripe& stripe = StripeOf(source);
  const std::lock_guard lock(stripe.mutex);
  const auto at = stripe.open.find(source);
  if (at != stripe.open.end() && --at->second == 0) stripe.open.erase(at);
}

}  // namespace egret
