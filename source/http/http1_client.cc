#include "source/http/http1_client.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "source/event/combine.h"
#include "source/event/loop.h"
#include "source/http/head_scanner.h"
#include "source/http/http1_head.h"
#include "source/http/serialize.h"

namespace egret {
namespace {

constexpr Http1BodyReader::Faults kUpstreamFaults = {Side::kUpstream,           Fault::kUpstreamTruncated,
                                                     Fault::kUpstreamReset,     Fault::kUpstreamTimeoutBody,
                                                     Fault::kUpstreamMalformed, Fault::kUpstreamMalformed};
constexpr int kChunksInOneTurn = 16;

Failure ByUpstream(Fault fault) { return {Side::kUpstream, fault}; }

// What a scanner says of a client is said of an upstream.
Fault UpstreamFault(Fault fault) {
  return fault == Fault::kHttpHeaderTooLarge || fault == Fault::kHttpTooManyFields ? Fault::kUpstreamHeaderTooLarge
                                                                                   : Fault::kUpstreamMalformed;
}

// RFC 9110 8.6: a method that usually has content says that there is none; so does a head that said it before.
bool SaysZero(const Head& head) {
  if (head.method == "CONNECT") return false;
  return head.method == "POST" || head.method == "PUT" || head.method == "PATCH" ||
         head.Find(FieldName::kContentLength) != nullptr;
}

Framing FramingFor(const Head& head, const Body* body) {
  if (body == nullptr) return SaysZero(head) ? Framing{Framing::kLength, 0} : Framing{};
  const std::optional<uint64_t> length = body->Length();
  return length ? Framing{Framing::kLength, *length} : Framing{Framing::kChunked, 0};
}

}  // namespace

Http1Client::Http1Client(Stream& stream, const Http1ClientLimits& limits)
    : limits_(limits),
      input_(stream),
      output_(stream, limits.write_ms, ByUpstream(Fault::kUpstreamReset), ByUpstream(Fault::kUpstreamTimeoutWrite)),
      body_(input_, kUpstreamFaults, {limits.body_ms, limits.trailer_bytes}) {}

void Http1Client::BeginExchange(const Head& head) {
  asked_ = true;
  received_before_ = input_.consumed();
  sent_before_ = output_.written();
  interim_ = 0;
  request_ = {head.method == "HEAD", head.method == "CONNECT"};
  to_upgrade_ = head.Find(FieldName::kUpgrade) != nullptr;
  keep_alive_ = final_ = upload_begun_ = upload_complete_ = response_begun_ = false;
  body_.Begin({});
}

Task<Failure> Http1Client::SendHead(const Head& head, Body* body, bool withhold_body) {
  BeginExchange(head);
  WireFraming wire;
  wire.framing = FramingFor(head, body);
  std::string out;
  if (!AppendRequestHead(out, head, wire)) co_return Failure{Side::kEgret, Fault::kInternal};
  output_.BeginContent(wire.framing);
  Failure failure;
  if (!output_.content_complete() && !withhold_body && body->Ready()) {
    const Chunk chunk = co_await body->Read();
    upload_begun_ = true;
    if (chunk.kind == Chunk::kFailed) co_return chunk.why;
    failure = co_await output_.WriteChunk(std::move(out), chunk, *body);
  } else {
    failure = co_await output_.Write({out}, nullptr);
  }
  if (failure) broken_ = true;
  upload_complete_ = !failure && output_.content_complete();
  co_return failure;
}

Task<UploadEnd> Http1Client::Upload(Body& body) {
  Gate& done = input_.stream().PeerDoneGate();
  for (int chunks = 1; !upload_complete_; ++chunks) {
    Chunk chunk{};
    bool given = !done.open() && body.Ready();
    if (given) {
      chunk = co_await body.Read();
    } else if (!done.open()) {
      const auto first = co_await Race(body.Read(), done);
      given = first.index() == 0;
      if (given) chunk = std::get<0>(first);
    }
    if (!given) co_return UploadEnd{UploadEnd::kOriginStoppedReading, Break(Fault::kUpstreamClosed)};
    upload_begun_ = true;
    if (chunk.kind == Chunk::kFailed) co_return UploadEnd{UploadEnd::kClientFailed, chunk.why};
    if (const Failure failure = co_await output_.WriteChunk({}, chunk, body, &done)) {
      broken_ = true;
      co_return UploadEnd{failure.side == Side::kUpstream ? UploadEnd::kOriginStoppedReading : UploadEnd::kClientFailed,
                          failure};
    }
    upload_complete_ = output_.content_complete();
    if (chunks % kChunksInOneTurn == 0) co_await Yield();
  }
  co_return UploadEnd{UploadEnd::kComplete, {}};
}

Task<Result<Head, Failure>> Http1Client::ReadHead() {
  HeadScanner scanner(HeadScanner::Kind::kResponse, {limits_.head_bytes, limits_.fields, 0});
  const uint64_t begun_ms = Loop::current()->now_ms();
  for (;;) {
    if (!input_.unread().empty()) response_begun_ = true;
    const HeadScanner::Verdict verdict = scanner.Scan(input_.unread());
    if (verdict == HeadScanner::Verdict::kComplete) co_return TakeHead(scanner.begin(), scanner.end());
    if (verdict == HeadScanner::Verdict::kRefused) co_return Break(UpstreamFault(scanner.fault()));
    const Io io = input_.Fill();
    if (io.kind == Io::kBytes) continue;
    if (io.failed()) co_return Break(io.error == kSevered ? Fault::kUpstreamClosed : Fault::kUpstreamReset);
    if (io.end()) co_return Break(Fault::kUpstreamClosed);
    input_.Park();
    // While a request is still being taken there is no reason to expect an answer.
    const uint64_t due_ms = std::max(begun_ms, output_.last_progress_ms()) + limits_.head_ms;
    const uint64_t now_ms = Loop::current()->now_ms();
    if (due_ms <= now_ms) co_return Break(Fault::kUpstreamTimeoutHeader);
    co_await GateWithin(input_.stream().ReadGate(), due_ms - now_ms);
  }
}

Failure Http1Client::Break(Fault fault) {
  broken_ = true;
  return ByUpstream(fault);
}

Result<Head, Failure> Http1Client::TakeHead(size_t begin, size_t end) {
  Head head;
  Framing framing;
  const Fault fault = ParseResponseHead(input_.unread().substr(begin, end - begin), request_, head, framing);
  if (fault != Fault::kNone) return Break(fault);
  input_.Consume(end);
  const bool switched = head.status == 101;
  if (switched && !to_upgrade_) return Break(Fault::kUpstreamUnasked101);
  if (head.status < 200 && !switched) {
    if (++interim_ > limits_.interim) return Break(Fault::kUpstreamTooManyInterim);
    return head;
  }
  final_ = true;
  body_.Begin(framing);
  const bool tunnel = switched || (request_.connect && head.status < 300);
  keep_alive_ = !tunnel && framing.kind != Framing::kUntilClose && AllowsKeepAlive(head);
  return head;
}

bool Http1Client::reusable() const {
  const bool between = !asked_ || (keep_alive_ && upload_complete_ && response_complete());
  return !broken_ && between && input_.unread().empty();
}

bool Http1Client::StillQuiet() {
  if (!broken_ && input_.unread().empty()) {
    broken_ = !input_.Fill().again();
    input_.Park();
  }
  return !broken_ && input_.unread().empty();
}

}  // namespace egret
