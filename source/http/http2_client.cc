#include "source/http/http2_client.h"

#include <algorithm>
#include <utility>

#include "source/event/combine.h"
#include "source/event/loop.h"
#include "source/event/wait.h"

namespace egret {
namespace {

Failure ByUpstream(Fault fault) { return {Side::kUpstream, fault}; }

bool HasNoContent(int status) { return status == 204 || status == 304; }

// RFC 9110 8.6, as Http1Client says it.
std::optional<uint64_t> LengthFor(const Head& head, const Body* body) {
  if (body != nullptr) return body->Length();
  if (head.method == "CONNECT") return std::nullopt;
  const bool usual = head.method == "POST" || head.method == "PUT" || head.method == "PATCH";
  if (usual || head.Find(FieldName::kContentLength) != nullptr) return 0;
  return std::nullopt;
}

}  // namespace

Http2ClientStream::Http2ClientStream(Http2StreamPtr stream)
    : stream_(std::move(stream)),
      answer_ms_(stream_->session->limits().answer_ms),
      body_ms_(stream_->session->limits().body_ms) {}

Task<Failure> Http2ClientStream::SendHead(const Head& head, Body* body, bool withhold_body) {
  if (stream_->session == nullptr) co_return stream_->why;
  const bool connect = head.method == "CONNECT";
  const std::optional<uint64_t> length = LengthFor(head, body);
  head_request_ = head.method == "HEAD";
  stream_->connect = connect;
  extended_ = !head.protocol.empty();
  if (extended_ && !co_await MayExtendConnect())
    co_return stream_->why ? stream_->why : ByUpstream(Fault::kUpstreamBadUpgrade);
  std::optional<Chunk> first;
  if (body != nullptr && length != 0 && !withhold_body && body->Ready()) {
    first = co_await body->Read();
    upload_begun_ = true;
    if (first->kind == Chunk::kFailed) co_return first->why;
  }
  Http2Fields fields;
  if (!fields.SetRequest(head, length)) co_return Failure{Side::kEgret, Fault::kInternal};
  const bool content = connect || (body != nullptr && length != 0);
  if (stream_->session == nullptr || !stream_->session->SubmitRequest(*stream_, fields, content))
    co_return stream_->why;
  upload_.emplace(*stream_, length);
  if (!first) co_return Failure{};
  co_return co_await upload_->Put(*first, *body);
}

// RFC 8441 3: not before the peer has said so. Where it says nothing at all, the session ends.
Task<bool> Http2ClientStream::MayExtendConnect() {
  while (stream_->open && !stream_->session->got_settings()) {
    stream_->readable.Close();
    co_await GateAwaiter(stream_->readable);
  }
  co_return stream_->open && stream_->session->peer_takes_extended_connect();
}

Task<UploadEnd> Http2ClientStream::Upload(Body& body) {
  upload_begun_ = true;
  bool stopped = false;
  const Failure failure = co_await upload_->Rest(body, &stopped);
  if (stopped) {
    if (failure && failure.side != Side::kUpstream) co_return UploadEnd{UploadEnd::kClientFailed, failure};
    co_return UploadEnd{UploadEnd::kOriginStoppedReading, failure ? failure : ByUpstream(Fault::kUpstreamClosed)};
  }
  if (failure) co_return UploadEnd{UploadEnd::kClientFailed, failure};
  co_return UploadEnd{UploadEnd::kComplete, {}};
}

Task<Result<Head, Failure>> Http2ClientStream::ReadHead() {
  const uint64_t begun_ms = Loop::current()->now_ms();
  while (stream_->heads.empty()) {
    if (stream_->why) co_return stream_->why;
    if (!stream_->open) co_return ByUpstream(Fault::kUpstreamClosed);
    stream_->readable.Close();
    // While a request is still being taken there is no reason to expect an answer.
    const uint64_t due_ms = std::max(begun_ms, stream_->progress_ms) + answer_ms_;
    const uint64_t now_ms = Loop::current()->now_ms();
    if (due_ms <= now_ms) co_return ByUpstream(Fault::kUpstreamTimeoutHeader);
    co_await GateWithin(stream_->readable, due_ms - now_ms);
  }
  Http2Stream::Received received = std::move(stream_->heads.front());
  stream_->heads.pop_front();
  response_begun_ = true;
  if (received.fault != Fault::kNone) co_return ByUpstream(received.fault);
  length_ = received.length;
  no_content_ = head_request_ || HasNoContent(received.head.status) || received.ended;
  co_return std::move(received.head);
}

std::unique_ptr<Body> Http2ClientStream::ResponseBody() {
  if (no_content_) return nullptr;
  return MakeHttp2Body(*stream_, length_, body_ms_, ByUpstream(Fault::kUpstreamTimeoutBody));
}

std::unique_ptr<Stream> Http2ClientStream::TakeTunnel() {
  received_ = stream_->received_bytes;
  sent_ = stream_->sent_bytes;
  // It was open for the head; from here on it tells of content, as whoever waits for the server to speak first expects.
  if (stream_->inbox.empty() && !stream_->ended && !stream_->why) stream_->readable.Close();
  return MakeHttp2Tunnel(std::move(stream_), extended_ ? Http2Code::kCancel : Http2Code::kConnectError);
}

}  // namespace egret
