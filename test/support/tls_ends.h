// Two TLS streams over a pipe in memory, and what drives them on a loop that the test turns by hand.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/event/loop.h"
#include "source/event/task.h"
#include "source/io/stream_io.h"
#include "source/tls/tls_context.h"
#include "test/support/pipe.h"
#include "test/support/run_task.h"
#include "test/support/test_ca.h"

namespace egret {

using ServerContext = std::shared_ptr<const TlsServerContext>;
using ClientContext = std::shared_ptr<const TlsClientContext>;

inline ServerContext MakeServer(const TlsServerOptions& options) {
  auto made = TlsServerContext::Make(options);
  EXPECT_TRUE(made.ok()) << made.error().text;
  return made.ok() ? *made : nullptr;
}

inline ClientContext MakeClient(const TlsClientOptions& options) {
  auto made = TlsClientContext::Make(options);
  EXPECT_TRUE(made.ok()) << made.error().text;
  return made.ok() ? *made : nullptr;
}

// Turns the loop until both are done.
template <class A, class B>
std::pair<A, B> RunBoth(Loop& loop, Task<A> a, Task<B> b, int turns = 2000000) {
  TestJoiner joiner;
  a.Start(joiner);
  b.Start(joiner);
  for (int i = 0; i < turns && !(a.done() && b.done()) && loop.Turn(20); ++i) {
  }
  EXPECT_TRUE(a.done());
  EXPECT_TRUE(b.done());
  return {a.done() ? a.Take() : A{}, b.done() ? b.Take() : B{}};
}

struct TlsEnds {
  std::unique_ptr<TlsStream> client, server;
  PipeStream* client_pipe = nullptr;  // below the client
  PipeStream* server_pipe = nullptr;

  // Not shaken hands yet.
  static TlsEnds Over(const ClientContext& client, const ServerContext& server, const std::string& host = "a.test",
                      size_t room = 65536) {
    TlsEnds ends;
    auto [near, far] = PipeStream::Pair(room);
    ends.client_pipe = near.get();
    ends.server_pipe = far.get();
    ends.client = client->Connect(std::move(near), host);
    ends.server = server->Accept(std::move(far));
    return ends;
  }
  // What each side says of the handshake.
  std::pair<Failure, Failure> Shake(Loop& loop) { return RunBoth(loop, client->Handshake(), server->Handshake()); }
};

// Reads until the stream ends or breaks.
struct Heard {
  std::string bytes;
  Io end{Io::kAgain};
};
inline Task<Heard> HearAll(Stream& stream, size_t at_a_time = 16384) {
  Heard heard;
  std::string buffer(at_a_time, '\0');
  for (;;) {
    const Io io = stream.Read(buffer);
    if (io.again()) {
      co_await stream.Readable();
    } else if (io.kind == Io::kBytes) {
      heard.bytes.append(buffer, 0, io.bytes);
    } else {
      heard.end = io;
      co_return heard;
    }
  }
}

inline Task<bool> SayAll(Stream& stream, std::string bytes, bool finish = true) {
  const Io io = co_await WriteAll(stream, bytes);
  if (io.failed()) co_return false;
  if (finish) co_await FinishAll(stream);
  co_return true;
}

}  // namespace egret
