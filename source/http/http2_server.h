// HTTP/2 towards a client, over one Stream that it borrows: many exchanges at once. Run() is the connection's task;
// each request is handed to the owner with a stream of its own, whose faces are those of Http1Server.
#pragma once

#include <cstdint>
#include <memory>

#include "source/base/failure.h"
#include "source/event/task.h"
#include "source/http/body.h"
#include "source/http/head.h"
#include "source/http/http2_limits.h"
#include "source/http/http2_session.h"
#include "source/http/http2_stream.h"
#include "source/http/request.h"
#include "source/io/stream.h"

namespace egret {

// One request and its response. Apart from reading the request's body beside the rest, one task of it runs at a time;
// any may be destroyed while it waits. Destroyed before the response is complete, it resets the stream
// (INTERNAL_ERROR); after that, where the client is still sending, it asks it to stop (NO_ERROR, RFC 9113 8.1). May
// outlive the server.
class Http2ServerStream {
 public:
  explicit Http2ServerStream(Http2StreamPtr stream);

  // Once. The body borrows this object. An extended CONNECT is the GET that it stands for.
  Request TakeRequest();
  // Set where the head cannot be served and should be answered with this: too large, a target that is none. Then the
  // request has what is known of it.
  Failure refused() const { return refused_; }

  // As of Http1Server. Respond ends when END_STREAM is on its way, or for a 2xx to CONNECT (ordinary or extended: then
  // it has no content) when the head is put.
  Task<Failure> Inform(const Head& interim);
  Task<Failure> Respond(const Head& head, Body* body);
  bool responded_head() const { return stream_ == nullptr || stream_->head_put; }
  bool request_complete() const { return stream_ == nullptr || stream_->ended; }
  // Refuses what is not answered yet, so that the client may ask again elsewhere (RFC 9113 8.7).
  void RefuseUnprocessed();

  // Opens when the client resets the stream, or the connection is lost. (That it ended its side means nothing by
  // itself: every request without content does.)
  Gate& GoneGate() { return stream_->gone; }
  // Why it did, or why we did; no fault as long as it stands.
  Failure why() const { return stream_->why; }

  // After CONNECT's 2xx, ordinary or extended: from here on this object only counts what was before.
  std::unique_ptr<Stream> TakeTunnel();

  int32_t id() const { return id_; }
  // Frames of this stream on the wire.
  uint64_t received_bytes() const { return stream_ != nullptr ? stream_->received_bytes : received_; }
  uint64_t sent_bytes() const { return stream_ != nullptr ? stream_->sent_bytes : sent_; }

 private:
  Task<Failure> SendBody(const Head& head, Body& body);
  Failure PutHead(const Head& head, std::optional<uint64_t> length, bool keep_length, bool content);

  Http2StreamPtr stream_;
  Failure refused_;
  int32_t id_;
  uint64_t body_ms_;
  uint64_t received_ = 0, sent_ = 0;
  bool head_request_ = false;
  bool extended_ = false;  // CONNECT
};

class Http2ServerOwner {
 public:
  // A request arrived: its task starts now, or the stream is dropped and thereby reset. Called from inside Run().
  virtual void OnRequest(std::unique_ptr<Http2ServerStream> stream) = 0;
  // To be counted.
  virtual void OnLimit(Http2Limit limit) = 0;
  virtual void OnMalformed() = 0;

 protected:
  ~Http2ServerOwner() = default;
};

class Http2Server final : private Http2Session::Owner {
 public:
  // All must outlive it.
  Http2Server(Stream& stream, const Http2Limits& limits, Http2ServerOwner& owner)
      : owner_(owner), session_(stream, limits, Http2Session::Role::kServer, *this) {}

  // Ends with the connection, having broken off what was open: no fault where it ended in order.
  [[clang::coro_wrapper]] Task<Failure> Run() { return session_.Run(); }
  // Two GOAWAYs, and the end once the last stream has ended (RFC 9113 6.8).
  void ShutDown() { session_.ShutDown(); }
  bool shutting_down() const { return session_.shutting_down(); }
  // At once.
  void Close(Http2Code code, Failure why) { session_.Close(code, why); }

  uint64_t accepted() const { return session_.accepted(); }
  size_t streams() const { return session_.streams(); }

 private:
  void OnRequest(Http2StreamPtr stream) override {
    owner_.OnRequest(std::make_unique<Http2ServerStream>(std::move(stream)));
  }
  void OnLimit(Http2Limit limit) override { owner_.OnLimit(limit); }
  void OnMalformed() override { owner_.OnMalformed(); }

  Http2ServerOwner& owner_;
  Http2Session session_;
};

}  // namespace egret
