#include "source/filters/rate_limit.h"

#include <string_view>
#include <utility>

#include "source/base/client_network.h"
#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/local_reply.h"

namespace egret {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;

Task<Response> TooMany(Exchange& exchange, uint64_t retry_ms) {
  Response response = LocalReply(exchange, {Side::kClient, Fault::kRateLimited});
  response.head.Add("Retry-After", Cat((retry_ms + 999) / 1000));
  co_return response;
}

}  // namespace

RateLimitFilter::RateLimitFilter(const RateLimitOptions& options)
    : per_(options.per), table_(RateTable::Make(options.limits)) {}

std::string RateLimitFilter::KeyOf(Exchange& exchange) const {
  if (per_ == RateLimitOptions::Key::kDestination) return exchange.target ? exchange.target->ToString() : std::string();
  // No address is as long as the key of an identity with its kind.
  if (per_ == RateLimitOptions::Key::kIdentity && exchange.identity)
    return Cat("identity of ", exchange.identity->Key());
  return ClientKey(exchange.connection().peer.address);
}

Task<Response> RateLimitFilter::Handle(Exchange& exchange, HttpNext next) const {
  // A request that asks to switch protocols counts as a tunnel while it is under way: whether it became one is only
  // known when it is too late to refuse.
  const bool tunnel = exchange.connect() || !exchange.upgrade.empty();
  RateTable::Taken taken = table_->Take(KeyOf(exchange), tunnel, exchange.worker().loop().now_ms() * kNsPerMs);
  LimitHits& hits = exchange.worker().counters().limit_hits;
  switch (taken.verdict) {
    case RateTable::Verdict::kTooMany:
      hits.Add(Limit::kRateRequests);
      return TooMany(exchange, taken.retry_ms);
    case RateTable::Verdict::kTooManyTunnels:
      hits.Add(Limit::kRateTunnels);
      return TooMany(exchange, 1000);  // nobody knows when one of its tunnels ends
    case RateTable::Verdict::kTaken:
      break;
  }
  if (taken.tunnel != nullptr) exchange.record().Hold(std::move(taken.tunnel));
  return next(exchange);
}

}  // namespace egret
