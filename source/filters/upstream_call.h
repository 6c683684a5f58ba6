// UpstreamCall: one request on one link to an origin or a parent. The exchange owns it; upload and response body borrow
// it. When it dies, the link goes back to the pool if nothing of the exchange is left on it, else it is closed.
#pragma once

#include <memory>
#include <utility>

#include "source/chain/exchange.h"
#include "source/event/loop.h"
#include "source/upstream/pool.h"

namespace egret {

class UpstreamCall final : public ExchangePart {
 public:
  UpstreamCall(UpstreamPool& pool, std::unique_ptr<UpstreamLink> link, bool reused, const PoolLimits& limits)
      : pool_(pool), limits_(limits), link_(std::move(link)), reused_(reused) {}
  ~UpstreamCall() override {
    if (link_ != nullptr) pool_.Put(std::move(link_), limits_);
  }

  Http1Client& client() { return link_->client; }
  bool reused() const { return reused_; }
  // For what takes the connection over: it never goes back.
  std::unique_ptr<UpstreamLink> TakeLink() { return std::move(link_); }

  // Opens when the body of an Expect: 100-continue request may be sent.
  Gate& proceed() { return proceed_; }

  // Whether the same request may go out once more, on a fresh link (RFC 9110 9.2.2): this one was idle before, nothing
  // came back, no byte of the body was taken, and either the method may be repeated or nothing went out at all.
  bool MayRetry(bool idempotent) const {
    const Http1Client& client = link_->client;
    return reused_ && !client.response_begun() && !client.upload_begun() && (idempotent || !client.request_written());
  }

 private:
  UpstreamPool& pool_;
  PoolLimits limits_;
  std::unique_ptr<UpstreamLink> link_;
  bool reused_;
  Gate proceed_{false};
};

}  // namespace egret
