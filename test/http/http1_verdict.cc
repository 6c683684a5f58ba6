#include "test/http/http1_verdict.h"

#include <memory>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/event/task.h"
#include "source/event/wait.h"
#include "source/http/http1_client.h"
#include "source/http/http1_server.h"
#include "source/http/serialize.h"
#include "test/support/pipe.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

Task<void> ReadContent(Body* body, Verdict& verdict) {
  if (body == nullptr) co_return;
  for (;;) {
    const Chunk chunk = co_await body->Read();
    if (chunk.kind == Chunk::kBytes) verdict.content.append(chunk.bytes);
    if (chunk.kind == Chunk::kFailed) verdict.fault = chunk.why.fault;
    if (chunk.kind != Chunk::kBytes) break;
  }
  if (body->trailers() == nullptr) co_return;
  for (const auto& [name, value] : body->trailers()->fields()) Append(verdict.trailers, name, ": ", value, "\r\n");
}

Task<void> JudgeOneRequest(Http1Server& server, Verdict& verdict) {
  Result<Request, Failure> request = co_await server.Next();
  if (!request) {
    verdict.fault = request.error().fault;
    co_return;
  }
  const std::unique_ptr<Body> body = std::move(request->body);
  if (request->head.Find(FieldName::kHost) == nullptr)
    request->head.Add(FieldName::kHost, "a.example");  // a 1.0 client
  WireFraming wire;
  if (body != nullptr)
    wire.framing = body->Length() ? Framing{Framing::kLength, *body->Length()} : Framing{Framing::kChunked, 0};
  if (!AppendRequestHead(verdict.head, request->head, wire)) verdict.fault = Fault::kInternal;
  co_await ReadContent(body.get(), verdict);
  verdict.left = server.TakeUnparsed();
}

Task<void> JudgeOneResponse(Http1Client& client, Verdict& verdict) {
  Head request;
  request.method = "GET";
  request.path = "/";
  co_await client.SendHead(request, nullptr);
  for (;;) {
    const Result<Head, Failure> head = co_await client.ReadHead();
    if (!head) {
      verdict.fault = head.error().fault;
      co_return;
    }
    const std::unique_ptr<Body> body = head->status < 200 ? nullptr : client.ResponseBody();
    WireFraming wire;
    if (body != nullptr)
      wire.framing = body->Length() ? Framing{Framing::kLength, *body->Length()} : Framing{Framing::kChunked, 0};
    else if (head->status >= 200 && head->status != 204 && head->status != 304)
      wire.framing = {Framing::kLength, 0};
    if (!AppendResponseHead(verdict.head, *head, wire)) verdict.fault = Fault::kInternal;
    if (head->status < 200) continue;
    co_await ReadContent(body.get(), verdict);
    verdict.left = client.TakeUnparsed();
    co_return;
  }
}

Task<void> Send(Stream& to, std::span<const std::string_view> pieces) {
  for (const std::string_view piece : pieces) {
    to.Write(piece);
    co_await Yield();
    co_await Yield();
  }
  to.Finish();
}

// Both at once: the codec sees a piece before the next one is sent.
Verdict Run(Loop& loop, Stream& peer, std::span<const std::string_view> pieces, Task<void> judging,
            const Verdict& verdict) {
  TestJoiner joiner;
  Task<void> sending = Send(peer, pieces);
  judging.Start(joiner);
  sending.Start(joiner);
  for (int i = 0; i < 100000 && !(judging.done() && sending.done()); ++i) loop.Turn(0);
  CHECK(judging.done());
  return verdict;
}

size_t RoomFor(std::span<const std::string_view> pieces) {
  size_t room = 1024;
  for (const std::string_view piece : pieces) room += piece.size();
  return room;
}

}  // namespace

Verdict JudgeRequest(Loop& loop, std::span<const std::string_view> pieces) {
  const Http1ServerLimits limits;
  auto [near, far] = PipeStream::Pair(RoomFor(pieces));
  Http1Server server(*near, limits);
  Verdict verdict;
  return Run(loop, *far, pieces, JudgeOneRequest(server, verdict), verdict);
}

Verdict JudgeResponse(Loop& loop, std::span<const std::string_view> pieces) {
  const Http1ClientLimits limits;
  auto [near, far] = PipeStream::Pair(RoomFor(pieces));
  Http1Client client(*near, limits);
  Verdict verdict;
  return Run(loop, *far, pieces, JudgeOneResponse(client, verdict), verdict);
}

}  // namespace egret
