#include "source/http/http2_server.h"

#include <utility>

#include "source/base/check.h"
#include "source/event/wait.h"

namespace egret {
namespace {

constexpr Failure kInternal{Side::kEgret, Fault::kInternal};

bool HasNoContent(int status) { return status == 204 || status == 304; }

}  // namespace

Http2ServerStream::Http2ServerStream(Http2StreamPtr stream)
    : stream_(std::move(stream)), id_(stream_->id), body_ms_(stream_->session->limits().body_ms) {
  if (const Fault fault = stream_->heads.front().fault; fault != Fault::kNone) refused_ = {Side::kClient, fault};
}

Request Http2ServerStream::TakeRequest() {
  Http2Stream::Received received = std::move(stream_->heads.front());
  stream_->heads.pop_front();
  Request request{std::move(received.head), nullptr, false};
  head_request_ = request.head.method == "HEAD";
  extended_ = !request.head.protocol.empty();
  if (extended_ && !refused_) request.head.method = "GET";
  // A CONNECT's content is the tunnel's.
  if (!received.ended && !stream_->connect && !refused_) {
    request.body = MakeHttp2Body(*stream_, received.length, body_ms_, {Side::kClient, Fault::kClientTimeoutBody});
  }
  if (const Fault fault = TakeExpectation(request); fault != Fault::kNone) refused_ = {Side::kClient, fault};
  return request;
}

Task<Failure> Http2ServerStream::Inform(const Head& interim) {
  if (stream_->why || !stream_->open) co_return stream_->why;
  if (stream_->head_put) co_return Failure{};
  Http2Fields fields;
  if (!fields.SetResponse(interim, std::nullopt, false)) co_return kInternal;
  co_return stream_->session->SubmitInterim(*stream_, fields) ? Failure{} : kInternal;
}

Failure Http2ServerStream::PutHead(const Head& head, std::optional<uint64_t> length, bool keep_length, bool content) {
  if (stream_->why || !stream_->open) return stream_->why ? stream_->why : kInternal;
  Http2Fields fields;
  if (!fields.SetResponse(head, length, keep_length)) return kInternal;
  return stream_->session->SubmitFinal(*stream_, fields, content) ? Failure{} : kInternal;
}

Task<Failure> Http2ServerStream::Respond(const Head& head, Body* body) {
  CHECK(!responded_head());
  const bool success = head.status >= 200 && head.status < 300;
  if (stream_->connect && success) co_return PutHead(head, std::nullopt, false, true);
  const std::optional<uint64_t> length = body != nullptr ? body->Length() : 0;
  const bool keeps = head.Count(FieldName::kContentLength) == 1;
  Failure failure;
  if (head_request_ || HasNoContent(head.status)) {
    // To HEAD, and in a 304, the length of what is not sent may be told (RFC 9110 8.6).
    const bool told = head.status != 204 && keeps;
    const bool known = head_request_ && head.status != 204 && head.status != 304 && !keeps && body != nullptr;
    failure = PutHead(head, known ? length : std::nullopt, told, false);
  } else if (body == nullptr || length == 0) {
    failure = PutHead(head, 0, false, false);
  } else {
    failure = co_await SendBody(head, *body);
  }
  if (failure) co_return failure;
  co_await GateAwaiter(stream_->delivered);
  co_return stream_->end_sent ? Failure{} : stream_->why;
}

Task<Failure> Http2ServerStream::SendBody(const Head& head, Body& body) {
  const std::optional<uint64_t> length = body.Length();
  Http2Upload upload(*stream_, length);
  if (body.Ready()) {
    // If it fails before the head is out, another response can still be given.
    const Chunk chunk = co_await body.Read();
    if (chunk.kind == Chunk::kFailed) co_return chunk.why;
    if (const Failure failure = PutHead(head, length, false, true)) co_return failure;
    if (const Failure failure = co_await upload.Put(chunk, body)) co_return failure;
  } else if (const Failure failure = PutHead(head, length, false, true)) {
    co_return failure;
  }
  co_return co_await upload.Rest(body, nullptr);
}

void Http2ServerStream::RefuseUnprocessed() {
  if (stream_ != nullptr && stream_->session != nullptr && !stream_->head_put)
    stream_->session->Reset(*stream_, Http2Code::kRefusedStream, {Side::kEgret, Fault::kNone});
}

std::unique_ptr<Stream> Http2ServerStream::TakeTunnel() {
  received_ = stream_->received_bytes;
  sent_ = stream_->sent_bytes;
  return MakeHttp2Tunnel(std::move(stream_), extended_ ? Http2Code::kCancel : Http2Code::kConnectError);
}

}  // namespace egret
