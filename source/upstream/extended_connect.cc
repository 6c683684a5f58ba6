#include "source/upstream/extended_connect.h"

#include <string>
#include <utility>

#include "source/http/websocket.h"

namespace egret {
namespace {

class ExtendedConnect final : public UpstreamRequest {
 public:
  explicit ExtendedConnect(std::unique_ptr<UpstreamRequest> inner) : inner_(std::move(inner)) {}

  const Endpoint& peer() const override { return inner_->peer(); }
  std::string_view tls_version() const override { return inner_->tls_version(); }
  std::string tls_key() const override { return inner_->tls_key(); }
  TlsOutcome tls_end() const override { return inner_->tls_end(); }
  std::string_view protocol() const override { return inner_->protocol(); }
  bool reused() const override { return inner_->reused(); }
  uint64_t number() const override { return inner_->number(); }

  [[clang::coro_wrapper]] Task<Failure> SendHead(const Head& head, Body* /*none*/, bool /*withhold_body*/) override {
    connect_ = MakeExtendedConnect(head);
    key_ = WebSocketKey(head);
    return inner_->SendHead(connect_, nullptr, false);
  }
  [[clang::coro_wrapper]] Task<UploadEnd> Upload(Body& body) override { return inner_->Upload(body); }
  Task<Result<Head, Failure>> ReadHead() override {
    Result<Head, Failure> head = co_await inner_->ReadHead();
    if (head && head->status / 100 == 2) MakeSwitch(*head, key_);
    co_return head;
  }
  std::unique_ptr<Body> ResponseBody() override { return inner_->ResponseBody(); }
  // What is to follow is the tunnel's.
  bool upload_complete() const override { return true; }

  bool MayRepeat(bool idempotent) const override { return inner_->MayRepeat(idempotent); }
  std::unique_ptr<Stream> TakeStream() override { return inner_->TakeStream(); }

 private:
  std::unique_ptr<UpstreamRequest> inner_;
  Head connect_;
  std::string key_;
};

}  // namespace

std::unique_ptr<UpstreamRequest> AsExtendedConnect(std::unique_ptr<UpstreamRequest> on_http2) {
  return std::make_unique<ExtendedConnect>(std::move(on_http2));
}

}  // namespace egret
