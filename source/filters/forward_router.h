// forward_router: terminal; reaches the destination (directly or through a parent proxy), sends the request and gives
// the response as soon as its final head is there. The upload goes on beside it, in the exchange's nursery: an early
// response, an upload that outlives it and a stream both ways are all the same case.
#pragma once

#include <cstdint>
#include <memory>

#include "source/chain/filter.h"
#include "source/io/dial.h"
#include "source/io/relay.h"
#include "source/upstream/next_hop.h"
#include "source/upstream/request.h"

namespace egret {

struct ForwardRouterOptions {
  std::shared_ptr<const NextHop> next_hop;  // null: direct
  DialOptions dial;
  UpstreamLimits limits;
  RelayLimits upgraded;         // of a connection that switched protocols
  uint64_t continue_ms = 1000;  // an origin that does not answer Expect is sent the body after this
};

class ForwardRouterFilter final : public HttpFilter {
 public:
  explicit ForwardRouterFilter(ForwardRouterOptions options) : options_(std::move(options)) {}
  Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  ForwardRouterOptions options_;
};

}  // namespace egret
