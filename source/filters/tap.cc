#include "source/filters/tap.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/worker.h"
#include "source/event/loop.h"

namespace egret {
namespace {

std::string UrlOf(const Exchange& exchange) {
  const std::string_view scheme = exchange.secure ? "https://" : "http://";
  const std::string authority = exchange.target ? exchange.target->Authority(exchange.default_port()) : "";
  const std::string_view path = exchange.request.head.path;
  return Cat(scheme, authority, path.starts_with('/') ? "" : "/", path);
}

void Describe(const Head& head, HarMessage& message) {
  message.version = NameOf(head.version);
  for (const Field& field : head.fields()) message.fields.emplace_back(field.name, field.value);
}

// An exchange that is being captured. It is handed over when nobody adds to it any more, however that comes.
class Captured {
 public:
  Captured(std::shared_ptr<TapFile> file, Exchange& exchange)
      : file_(std::move(file)), loop_(exchange.worker().loop()), har_(std::make_unique<HarExchange>()) {
    har_->started_unix_us = exchange.record().started_unix_us;
    started_ms_ = exchange.record().started_ms;
    har_->request_id = exchange.record().request_id;
    har_->method = exchange.request.head.method;
    har_->url = UrlOf(exchange);
    Describe(exchange.request.head, har_->request);
  }
  ~Captured() {
    har_->total_ms = loop_.now_ms() - started_ms_;
    file_->Put(std::move(har_));
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  void Answered(Exchange& exchange, const Head& head) {
    har_->wait_ms = static_cast<int64_t>(loop_.now_ms() - started_ms_);
    har_->status = head.status;
    har_->reason = head.reason;
    const std::string_view upstream = exchange.record().upstream;
    har_->server = upstream.substr(0, std::min(upstream.rfind(':'), upstream.size()));
    Describe(head, har_->response);
  }

  HarMessage& request() { return har_->request; }
  HarMessage& response() { return har_->response; }
  size_t most() const { return file_->options().rules.content_bytes; }

 private:
  std::shared_ptr<TapFile> file_;
  Loop& loop_;
  uint64_t started_ms_ = 0;
  std::unique_ptr<HarExchange> har_;
};

// Passes everything on as it is, and remembers the beginning.
class TappedBody final : public Body {
 public:
  TappedBody(std::unique_ptr<Body> body, std::shared_ptr<Captured> captured, HarMessage& into)
      : body_(std::move(body)), captured_(std::move(captured)), into_(into) {
    into_.whole = false;
  }

  Task<Chunk> Read() override {
    const Chunk chunk = co_await body_->Read();
    const size_t room = captured_->most() - into_.content.size();
    into_.content.append(chunk.bytes.substr(0, room));
    into_.content_bytes += chunk.bytes.size();
    into_.whole = chunk.kind == Chunk::kEnd || chunk.last || into_.content_bytes == body_->Length();
    co_return chunk;
  }
  bool Ready() const override { return body_->Ready(); }
  std::optional<uint64_t> Length() const override { return body_->Length(); }
  const Trailers* trailers() const override { return body_->trailers(); }
  void Release() override { body_->Release(); }

 private:
  std::unique_ptr<Body> body_;
  std::shared_ptr<Captured> captured_;
  HarMessage& into_;  // of captured_
};

}  // namespace

TapFilter::TapFilter(std::shared_ptr<TapFile> file) : file_(std::move(file)) {}

Task<Response> TapFilter::Handle(Exchange& exchange, HttpNext next) const {
  return exchange.connect() || !file_->Take() ? next(exchange) : Capture(exchange, next);
}

Task<Response> TapFilter::Capture(Exchange& exchange, HttpNext next) const {
  const auto captured = std::make_shared<Captured>(file_, exchange);
  Request& request = exchange.request;
  if (request.body != nullptr)
    request.body = std::make_unique<TappedBody>(std::move(request.body), captured, captured->request());
  Response response = co_await next(exchange);
  captured->Answered(exchange, response.head);
  if (response.body != nullptr)
    response.body = std::make_unique<TappedBody>(std::move(response.body), captured, captured->response());
  co_return response;
}

}  // namespace egret
