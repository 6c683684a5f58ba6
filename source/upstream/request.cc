#include "source/upstream/request.h"

#include <utility>

#include "source/io/prefixed_stream.h"
#include "source/tls/tls_stream.h"

namespace egret {
namespace {

class Http1Request final : public UpstreamRequest {
 public:
  Http1Request(UpstreamPool& pool, std::unique_ptr<Http1Link> link, bool stood, const PoolLimits& limits)
      : pool_(pool), limits_(limits), link_(std::move(link)), stood_(stood), reused_(link_->client.asked()) {}
  ~Http1Request() override {
    if (link_->stream != nullptr) pool_.Put(std::move(link_), limits_);
  }

  const Endpoint& peer() const override { return link_->peer; }
  std::string_view tls_version() const override { return link_->tls != nullptr ? link_->tls->version() : ""; }
  std::string tls_key() const override { return link_->tls != nullptr ? link_->tls->peer_key() : ""; }
  TlsOutcome tls_end() const override { return EndOf(link_->tls); }
  std::string_view protocol() const override { return "HTTP/1.1"; }
  bool reused() const override { return reused_; }
  uint64_t number() const override { return 0; }
  [[clang::coro_wrapper]] Task<Failure> SendHead(const Head& head, Body* body, bool withhold_body) override {
    return link_->client.SendHead(head, body, withhold_body);
  }
  [[clang::coro_wrapper]] Task<UploadEnd> Upload(Body& body) override { return link_->client.Upload(body); }
  [[clang::coro_wrapper]] Task<Result<Head, Failure>> ReadHead() override { return link_->client.ReadHead(); }
  std::unique_ptr<Body> ResponseBody() override { return link_->client.ResponseBody(); }
  bool upload_complete() const override { return link_->client.upload_complete(); }

  bool MayRepeat(bool idempotent) const override {
    const Http1Client& client = link_->client;
    return stood_ && !client.response_begun() && !client.upload_begun() && (idempotent || !client.request_written());
  }
  std::unique_ptr<Stream> TakeStream() override {
    std::string unparsed = link_->client.TakeUnparsed();
    return WithPrefix(std::move(unparsed), std::move(link_->stream));
  }

 private:
  UpstreamPool& pool_;
  PoolLimits limits_;
  std::unique_ptr<Http1Link> link_;
  bool stood_;
  bool reused_;
};

class Http2Request final : public UpstreamRequest {
 public:
  Http2Request(Http2Link& link, bool stood)
      : stream_(link.client.Open()),
        peer_(link.peer),
        tls_version_(link.tls != nullptr ? link.tls->version() : ""),
        tls_key_(link.tls != nullptr ? link.tls->peer_key() : ""),
        tls_end_(link.tls_end),
        number_(link.number),
        stood_(stood),
        reused_(std::exchange(link.asked, true)) {}

  const Endpoint& peer() const override { return peer_; }
  std::string_view tls_version() const override { return tls_version_; }
  std::string tls_key() const override { return tls_key_; }
  TlsOutcome tls_end() const override { return *tls_end_; }
  std::string_view protocol() const override { return "HTTP/2"; }
  bool reused() const override { return reused_; }
  uint64_t number() const override { return number_; }
  [[clang::coro_wrapper]] Task<Failure> SendHead(const Head& head, Body* body, bool withhold_body) override {
    return stream_->SendHead(head, body, withhold_body);
  }
  [[clang::coro_wrapper]] Task<UploadEnd> Upload(Body& body) override { return stream_->Upload(body); }
  [[clang::coro_wrapper]] Task<Result<Head, Failure>> ReadHead() override { return stream_->ReadHead(); }
  std::unique_ptr<Body> ResponseBody() override { return stream_->ResponseBody(); }
  bool upload_complete() const override { return stream_->upload_complete(); }

  bool MayRepeat(bool idempotent) const override {
    if (stream_->response_begun() || stream_->upload_begun()) return false;
    return stream_->refused() || !stream_->request_written() || (stood_ && idempotent);
  }
  std::unique_ptr<Stream> TakeStream() override { return stream_->TakeTunnel(); }

 private:
  std::unique_ptr<Http2ClientStream> stream_;
  Endpoint peer_;
  std::string_view tls_version_;
  std::string tls_key_;
  std::shared_ptr<const TlsOutcome> tls_end_;
  uint64_t number_;
  bool stood_;
  bool reused_;
};

std::unique_ptr<Http2Link> MakeHttp2(UpstreamPool& pool, NewLink made, const UpstreamLimits& limits) {
  Http2Limits bounded = limits.http2;
  bounded.idle_ms = limits.pool.idle_ms;
  bounded.max_age_ms = limits.pool.max_age_ms;
  return std::make_unique<Http2Link>(std::move(made), bounded, pool.http2_hits());
}

}  // namespace

std::unique_ptr<UpstreamRequest> TakePooled(UpstreamPool& pool, const PoolKey& key, const UpstreamPool::Admits& admits,
                                            const PoolLimits& limits) {
  if (std::unique_ptr<UpstreamRequest> shared = TakeNewer(pool, key, admits, 0)) return shared;
  std::unique_ptr<Http1Link> idle = pool.Take(key, admits);
  if (idle == nullptr) return nullptr;
  return std::make_unique<Http1Request>(pool, std::move(idle), true, limits);
}

std::unique_ptr<UpstreamRequest> TakeNewer(UpstreamPool& pool, const PoolKey& key, const UpstreamPool::Admits& admits,
                                           uint64_t number) {
  Http2Link* const shared = pool.FindShared(key, admits, number);
  if (shared == nullptr) return nullptr;
  return std::make_unique<Http2Request>(*shared, true);
}

std::unique_ptr<UpstreamRequest> BeginHttp1(UpstreamPool& pool, NewLink made, const UpstreamLimits& limits) {
  std::optional<DialTurn> turn = std::move(made.turn);
  const bool stood = made.stood;
  auto link = std::make_unique<Http1Link>(std::move(made), limits.http1);
  auto request = std::make_unique<Http1Request>(pool, std::move(link), stood, limits.pool);
  if (turn) std::move(*turn).FoundHttp1();
  return request;
}

std::unique_ptr<UpstreamRequest> BeginHttp2(UpstreamPool& pool, NewLink made, const UpstreamLimits& limits) {
  const bool stood = made.stood;
  std::unique_ptr<Http2Link> link = MakeHttp2(pool, std::move(made), limits);
  auto request = std::make_unique<Http2Request>(*link, stood);
  pool.Share(std::move(link));
  return request;
}

void Keep(UpstreamPool& pool, NewLink made, bool http2, const UpstreamLimits& limits) {
  if (http2) return pool.Share(MakeHttp2(pool, std::move(made), limits));
  std::optional<DialTurn> turn = std::move(made.turn);
  pool.Put(std::make_unique<Http1Link>(std::move(made), limits.http1), limits.pool);
  if (turn) std::move(*turn).FoundHttp1();
}

}  // namespace egret
