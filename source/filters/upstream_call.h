// UpstreamCall: one request on a connection to an origin or a parent. The exchange owns it; upload and response body
// borrow it. When it dies, the connection goes back to the pool if nothing of the exchange is left on it.
#pragma once

#include <memory>
#include <utility>

#include "source/chain/exchange.h"
#include "source/event/loop.h"
#include "source/upstream/request.h"

namespace egret {

class UpstreamCall final : public ExchangePart {
 public:
  explicit UpstreamCall(std::unique_ptr<UpstreamRequest> request) : request_(std::move(request)) {}

  UpstreamRequest& request() { return *request_; }
  // For what takes the connection over.
  std::unique_ptr<UpstreamRequest> Take() { return std::move(request_); }

  // Opens when the body of an Expect: 100-continue request may be sent.
  Gate& proceed() { return proceed_; }

 private:
  std::unique_ptr<UpstreamRequest> request_;
  Gate proceed_{false};
};

}  // namespace egret
