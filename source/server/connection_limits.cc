#include "source/server/connection_limits.h"

#include "source/base/client_network.h"

namespace egret {

bool ConnectionCount::Take() {
  const uint64_t most = most_.load(std::memory_order_relaxed);
  if (open_.fetch_add(1, std::memory_order_relaxed) < most || most == 0) return true;
  GiveBack();
  return false;
}

ConnectionPlace::~ConnectionPlace() {
  if (limits_ == nullptr) return;
  listener_->GiveBack();
  limits_->GiveBackSource(source_);
  limits_->total_.GiveBack();
}

bool ConnectionPlace::MoveTo(const IpAddress& source) {
  if (!limits_->TakeSource(source)) return false;
  limits_->GiveBackSource(source_);
  source_ = source;
  return true;
}

Result<ConnectionPlace, Limit> ConnectionLimits::Take(const std::optional<IpAddress>& source,
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

ConnectionLimits::Stripe& ConnectionLimits::StripeOf(const IpAddress& client) {
  uint64_t hash = 0;
  for (const uint8_t byte : client.bytes()) hash = hash * 31 + byte;
  return stripes_[hash % stripes_.size()];
}

bool ConnectionLimits::TakeSource(const std::optional<IpAddress>& source) {
  if (per_source_ == 0 || !source) return true;
  const IpAddress client = ClientNetwork(*source);
  Stripe& stripe = StripeOf(client);
  const std::lock_guard lock(stripe.mutex);
  uint64_t& open = stripe.open[client];
  if (open >= per_source_) return false;
  ++open;
  return true;
}

void ConnectionLimits::GiveBackSource(const std::optional<IpAddress>& source) {
  if (per_source_ == 0 || !source) return;
  const IpAddress client = ClientNetwork(*source);
  Stripe& stripe = StripeOf(client);
  const std::lock_guard lock(stripe.mutex);
  const auto at = stripe.open.find(client);
  if (at != stripe.open.end() && --at->second == 0) stripe.open.erase(at);
}

}  // namespace egret
