// HTTP/2 towards an origin or a parent proxy, over one Stream that it borrows: many exchanges at once. Run() is the
// connection's task; each request has a stream of its own, whose faces are those of Http1Client.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "source/base/failure.h"
#include "source/base/result.h"
#include "source/event/task.h"
#include "source/http/body.h"
#include "source/http/head.h"
#include "source/http/http1_client.h"
#include "source/http/http2_limits.h"
#include "source/http/http2_session.h"
#include "source/http/http2_stream.h"
#include "source/io/stream.h"

namespace egret {

// One request and its response:
//
//   SendHead -> Upload beside ReadHead (interim heads, then the final one) -> ResponseBody ...
//
// Upload may run beside ReadHead and the reading of the response's body; apart from that one task of it runs at a time.
// Any may be destroyed while it waits. Destroyed before both sides have ended, it resets the stream (CANCEL). May
// outlive the client.
class Http2ClientStream {
 public:
  explicit Http2ClientStream(Http2StreamPtr stream);

  // Puts the head: `scheme`, Host or `authority`, and `path` must be there, for CONNECT the authority alone; `protocol`
  // makes it an extended CONNECT, which waits for the peer's SETTINGS. A first chunk that is ready leaves with it,
  // unless `withhold_body` (Expect). Errors: of the connection, kUpstreamBadUpgrade (it does not take extended
  // CONNECT), and the body's own, before anything was put.
  Task<Failure> SendHead(const Head& head, Body* body, bool withhold_body = false);
  // Puts what SendHead did not. Ends also when the stream did.
  Task<UploadEnd> Upload(Body& body);
  // The next head. Errors are the upstream's: kUpstreamRefused (it did not look at the request), -Reset, -Closed,
  // -TimeoutHeader, -Malformed, -HeaderTooLarge, -TooManyInterim, -Http2.
  Task<Result<Head, Failure>> ReadHead();
  // After the final head; null: no content. Borrows this object.
  std::unique_ptr<Body> ResponseBody();
  // After CONNECT's 2xx, ordinary or extended.
  std::unique_ptr<Stream> TakeTunnel();

  // For the retry rule. A request that was put but refused may be sent again, whatever its method (RFC 9113 8.7).
  bool refused() const { return stream_->refused; }
  bool request_written() const { return stream_->head_put; }
  bool upload_begun() const { return upload_begun_; }
  bool upload_complete() const { return stream_->end_put; }
  bool response_begun() const { return response_begun_; }
  bool response_complete() const { return stream_->ended; }

  Gate& GoneGate() { return stream_->gone; }
  uint64_t received_bytes() const { return stream_ != nullptr ? stream_->received_bytes : received_; }
  uint64_t sent_bytes() const { return stream_ != nullptr ? stream_->sent_bytes : sent_; }

 private:
  Task<bool> MayExtendConnect();

  Http2StreamPtr stream_;
  std::optional<Http2Upload> upload_;
  std::optional<uint64_t> length_;  // of the response
  uint64_t answer_ms_, body_ms_;
  uint64_t received_ = 0, sent_ = 0;
  bool head_request_ = false;
  bool extended_ = false;  // CONNECT
  bool no_content_ = false;
  bool upload_begun_ = false;
  bool response_begun_ = false;
};

class Http2Client final : private Http2Session::Owner {
 public:
  // All must outlive it. `hits` counts the limits that the peer runs into.
  Http2Client(Stream& stream, const Http2Limits& limits, Http2LimitHits& hits)
      : hits_(hits), session_(stream, limits, Http2Session::Role::kClient, *this) {}

  // Ends with the connection, having broken off what was open: no fault where it ended in order.
  [[clang::coro_wrapper]] Task<Failure> Run() { return session_.Run(); }

  // Whether one more request may be sent now: below what both sides allow, and no GOAWAY has come. room() opens where
  // that may have changed; it is for whoever waits to close it.
  bool CanOpen() const { return session_.CanOpen(); }
  Gate& room() { return session_.room(); }
  // Only where CanOpen().
  std::unique_ptr<Http2ClientStream> Open() { return std::make_unique<Http2ClientStream>(session_.NewStream()); }

  // Takes no new streams and ends when the last one has.
  void ShutDown() { session_.ShutDown(); }
  bool over() const { return session_.over(); }
  // The peer's SETTINGS have come; before, nothing is known of what it offers.
  bool ready() const { return session_.got_settings(); }
  bool takes_extended_connect() const { return session_.peer_takes_extended_connect(); }  // RFC 8441

  size_t streams() const { return session_.streams(); }

 private:
  void OnRequest(Http2StreamPtr) override {}
  void OnLimit(Http2Limit limit) override { hits_.Add(limit); }
  void OnMalformed() override {}

  Http2LimitHits& hits_;
  Http2Session session_;
};

}  // namespace egret
