// rate_limit: how many requests a second, and how many tunnels at a time, one identity, one source address or one
// destination may have; beyond that 429 with Retry-After (RFC 6585 4). Counted over all workers, per filter of the
// configuration.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "source/chain/filter.h"
#include "source/filters/rate_table.h"

namespace egret {

struct RateLimitOptions {
  enum class Key : uint8_t {
    kIdentity,  // who is nobody is counted by the source address
    kSourceAddress,
    kDestination,
  };
  Key per = Key::kSourceAddress;
  RateLimits limits;
};

class RateLimitFilter final : public HttpFilter {
 public:
  explicit RateLimitFilter(const RateLimitOptions& options);
  [[clang::coro_wrapper]] Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  std::string KeyOf(Exchange& exchange) const;

  RateLimitOptions::Key per_;
  std::shared_ptr<RateTable> table_;  // shared by all workers, as the filter is
};

}  // namespace egret
