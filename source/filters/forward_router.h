// forward_router: terminal; reaches the destination (directly or through a parent proxy), sends the request and gives
// the response as soon as its final head is there. The upload goes on beside it, in the exchange's nursery: an early
// response, an upload that outlives it and a stream both ways are all the same case.
#pragma once

#include <utility>

#include "source/chain/filter.h"
#include "source/filters/origin_route.h"

namespace egret {

class ForwardRouterFilter final : public HttpFilter {
 public:
  explicit ForwardRouterFilter(ForwardRouterOptions options) : options_(std::move(options)) {}
  Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  ForwardRouterOptions options_;
};

}  // namespace egret
