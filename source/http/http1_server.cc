#include "source/http/http1_server.h"

#include <algorithm>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/event/combine.h"
#include "source/event/loop.h"
#include "source/http/head_scanner.h"
#include "source/http/http1_head.h"
#include "source/io/stream_io.h"

namespace egret {
namespace {

constexpr Http1BodyReader::Faults kClientFaults = {Side::kClient,      Fault::kClientEnded,
                                                   Fault::kClientGone, Fault::kClientTimeoutBody,
                                                   Fault::kHttpChunk,  Fault::kHttpTrailer};
constexpr int kChunksInOneTurn = 16;
constexpr size_t kUsualResponse = 2048;  // a head and, behind it, content that is small enough to be copied

Failure ByClient(Fault fault) { return {Side::kClient, fault}; }

bool IsSuccess(int status) { return status >= 200 && status < 300; }
bool HasNoContent(int status) { return status == 204 || status == 304; }

Framing FramingFor(const Body* body, Version version) {
  const std::optional<uint64_t> length = body != nullptr ? body->Length() : 0;
  if (length) return {Framing::kLength, *length};
  return {version == Version::kHttp10 ? Framing::kUntilClose : Framing::kChunked, 0};
}

// To HEAD, and in a 304, the length of what is not sent may be told (RFC 9110 8.6).
WireFraming FramingOfNoContent(const Head& head, const Body* body) {
  WireFraming wire;
  if (head.status == 204) return wire;
  wire.keep_length = head.Count(FieldName::kContentLength) == 1;
  if (!wire.keep_length && head.status != 304 && body != nullptr && body->Length())
    wire.framing = {Framing::kLength, *body->Length()};
  return wire;
}

}  // namespace

Http1Server::Http1Server(Stream& stream, const Http1ServerLimits& limits)
    : limits_(limits),
      input_(stream),
      output_(stream, limits.write_ms, ByClient(Fault::kClientGone), ByClient(Fault::kClientTimeoutWrite)),
      body_(input_, kClientFaults, {limits.body_ms, limits.trailer_bytes}) {}

void Http1Server::BeginExchange() {
  received_before_ = input_.consumed();
  sent_before_ = output_.written();
  refused_ = {};
  version_ = Version::kHttp11;
  asked_ = Asked::kOther;
  expects_continue_ = responded_ = keep_alive_ = false;
  body_.Begin({});
}

Task<Result<Request, Failure>> Http1Server::Next() {
  BeginExchange();
  HeadScanner scanner(HeadScanner::Kind::kRequest, {limits_.head_bytes, limits_.fields, limits_.target_bytes});
  uint64_t head_due_ms = 0;  // runs from the first byte
  for (;;) {
    const HeadScanner::Verdict verdict = scanner.Scan(input_.unread());
    if (verdict == HeadScanner::Verdict::kComplete) co_return TakeRequest(scanner.begin(), scanner.end());
    if (verdict == HeadScanner::Verdict::kRefused) co_return Refuse(scanner.fault());
    const Io io = input_.Fill();
    if (io.kind == Io::kBytes) continue;
    const bool between = input_.unread().size() == scanner.begin();
    // Between requests an end says nothing, however it comes.
    if (io.failed() && io.error != kSevered) co_return ByClient(Fault::kClientGone);
    if (io.kind != Io::kAgain) co_return ByClient(between ? Fault::kNone : Fault::kClientEnded);
    input_.Park();
    const uint64_t now_ms = Loop::current()->now_ms();
    if (!between && head_due_ms == 0) head_due_ms = now_ms + limits_.head_ms;
    const uint64_t wait_ms = between ? limits_.idle_ms : head_due_ms - std::min(head_due_ms, now_ms);
    if (!co_await GateWithin(input_.stream().ReadGate(), wait_ms))
      co_return between ? ByClient(Fault::kIdleTimeout) : Refuse(Fault::kClientTimeoutHeader);
  }
}

Failure Http1Server::Refuse(Fault fault) {
  constexpr size_t kMethodBytes = 32, kTargetBytes = 1024;
  std::string_view line = input_.unread();
  if (line.starts_with("\r\n")) line.remove_prefix(2);
  line = line.substr(0, line.find_first_of("\r\n"));
  const std::string_view method = SplitFirst(line, ' ');
  refused_.method = method.substr(0, kMethodBytes);
  refused_.target = SplitFirst(line, ' ').substr(0, kTargetBytes);
  if (method == "HEAD") asked_ = Asked::kHead;
  // What begins like HTTP/2 may be for somebody who speaks it.
  if (fault != Fault::kHttp2Preface) input_.Consume(input_.unread().size());
  input_.Park();
  close_ = true;
  return ByClient(fault);
}

Result<Request, Failure> Http1Server::TakeRequest(size_t begin, size_t end) {
  Request request;
  Framing framing;
  Fault fault = ParseRequestHead(input_.unread().substr(begin, end - begin), request.head, framing);
  if (fault != Fault::kNone) return Refuse(fault);
  version_ = request.head.version;
  body_.Begin(framing);
  request.body = body_.MakeHandle();
  fault = TakeExpectation(request);
  if (fault != Fault::kNone) {
    body_.Begin({});
    return Refuse(fault);
  }
  if (request.head.method == "HEAD") asked_ = Asked::kHead;
  if (request.head.method == "CONNECT") asked_ = Asked::kConnect;
  if (!AllowsKeepAlive(request.head)) close_ = true;
  expects_continue_ = request.expects_continue;
  input_.Consume(end);
  if (request.body == nullptr) {
    input_.Park();
  } else {
    input_.ParkIfSmall();
  }
  return request;
}

Task<Failure> Http1Server::Inform(const Head& interim) {
  if (version_ == Version::kHttp10 || responded_) co_return Failure{};
  std::string out;
  if (!AppendResponseHead(out, interim, {})) co_return Failure{Side::kEgret, Fault::kInternal};
  if (interim.status == 100) expects_continue_ = false;
  co_return co_await output_.Write({out}, nullptr);
}

// Core of RFC 9112 9.3 and 9.6: the answer must reach the client although it may still be sending, and nothing of a
// body that was not read may ever be taken for a request.
bool Http1Server::MayKeepAlive() const {
  if (close_) return false;
  if (asked_ == Asked::kConnect) return input_.unread().empty();  // else early bytes of the tunnel
  if (body_.complete()) return true;
  if (expects_continue_ && !body_.arrived()) return false;  // whether the body will come is not known
  const std::optional<uint64_t> rest = body_.Rest();
  return rest && *rest <= limits_.drain_bytes;
}

// Decides what frames the final response and whether the connection stays.
WireFraming Http1Server::PlanFor(const Head& head, const Body* body) {
  const int status = head.status;
  keep_alive_ = false;
  if (status == 101 || (asked_ == Asked::kConnect && IsSuccess(status))) return {};  // a tunnel from here on
  keep_alive_ = MayKeepAlive();
  WireFraming wire;
  if (asked_ == Asked::kHead || HasNoContent(status)) {
    wire = FramingOfNoContent(head, body);
  } else {
    wire.framing = FramingFor(body, version_);
  }
  if (wire.framing.kind == Framing::kUntilClose) keep_alive_ = false;
  if (!keep_alive_) wire.keep_or_close = "close";
  if (keep_alive_ && version_ == Version::kHttp10) wire.keep_or_close = "keep-alive";
  return wire;
}

Task<Failure> Http1Server::Respond(const Head& head, Body* body) {
  CHECK(!responded_);
  // What came behind a CONNECT since its head was read must be seen before the connection is promised to stay.
  if (asked_ == Asked::kConnect && input_.stream().ReadGate().open()) input_.Fill();
  const WireFraming wire = PlanFor(head, body);
  std::string out;
  out.reserve(kUsualResponse);
  if (!AppendResponseHead(out, head, wire)) co_return Failure{Side::kEgret, Fault::kInternal};
  output_.BeginContent(wire.framing);
  Failure failure;
  if (asked_ == Asked::kHead || output_.content_complete()) {
    responded_ = true;
    failure = co_await output_.Write({out}, nullptr);
  } else {
    failure = co_await SendBody(*body, std::move(out));
  }
  if (failure) keep_alive_ = false;
  co_return failure;
}

Task<Failure> Http1Server::SendBody(Body& body, std::string out) {
  for (int chunks = 1;; ++chunks) {
    if (!out.empty() && !body.Ready()) {
      responded_ = true;
      if (const Failure failure = co_await output_.Write({out}, nullptr)) co_return failure;
      out.clear();
    }
    const Chunk chunk = co_await body.Read();
    // If the head is not out yet, another response can still be given.
    if (chunk.kind == Chunk::kFailed) co_return chunk.why;
    responded_ = true;
    const Failure failure = co_await output_.WriteChunk(std::exchange(out, {}), chunk, body);
    if (failure || output_.content_complete()) co_return failure;
    if (chunks % kChunksInOneTurn == 0) co_await Yield();
  }
}

Task<bool> Http1Server::DrainBody() {
  for (;;) {
    const Chunk chunk = co_await body_.Read();
    if (chunk.kind != Chunk::kBytes) co_return chunk.kind == Chunk::kEnd;
  }
}

Task<bool> Http1Server::Settle() {
  if (keep_alive_) {
    if (body_.complete()) co_return true;
    if ((co_await WithDeadline(DrainBody(), limits_.drain_ms)).value_or(false)) co_return true;
  }
  input_.TakeUnread();
  co_await LingeringClose(input_.stream(), limits_.linger_ms, limits_.linger_bytes);
  co_return false;
}

}  // namespace egret
