// M15: what comes over TLS and ends without close_notify may have been cut short by anybody on the way, and is never
// taken for whole where only the end says that it is.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "source/http/http1_client.h"
#include "source/io/relay.h"
#include "test/support/tls_ends.h"

namespace egret {
namespace {

enum class Goodbye { kSaid, kNotSaid };

class TlsTruncationTest : public testing::Test {
 protected:
  TlsTruncationTest() {
    TlsServerOptions options;
    options.certificates.push_back(ca_.Issue({.alt_names = {"DNS:a.test"}}));
    ends_ = TlsEnds::Over(MakeClient({.trust = ca_.trust()}), MakeServer(options));
    const auto [client, server] = ends_.Shake(loop_);
    EXPECT_FALSE(client);
    EXPECT_FALSE(server);
  }
  void End(TlsStream& stream, Goodbye goodbye) {
    if (goodbye == Goodbye::kSaid) stream.Finish();
    stream.lower().Finish();
  }

  // The body of such a response, read to its end.
  struct Outcome {
    std::string bytes;
    Chunk::Kind end = Chunk::kBytes;
    Failure why;
  };
  Task<Outcome> Exchange(const std::string& response, Goodbye goodbye) {
    const Http1ClientLimits limits;
    Http1Client codec(*ends_.client, limits);
    Head request;
    request.method = "GET";
    request.form = TargetForm::kOrigin;
    request.path = "/";
    request.Add(FieldName::kHost, "a.test");
    Outcome outcome;
    outcome.why = co_await codec.SendHead(request, nullptr);
    co_await WriteAll(*ends_.server, response);
    End(*ends_.server, goodbye);
    Result<Head, Failure> head = co_await codec.ReadHead();
    if (!head) co_return Outcome{"", Chunk::kFailed, head.error()};
    const std::unique_ptr<Body> body = codec.ResponseBody();
    for (;;) {
      const Chunk chunk = co_await body->Read();
      outcome.bytes += chunk.bytes;
      outcome.end = chunk.kind;
      outcome.why = chunk.why;
      if (chunk.kind != Chunk::kBytes || chunk.last) co_return outcome;
    }
  }

  Loop loop_;
  TestCa ca_;
  TlsEnds ends_;
};

TEST_F(TlsTruncationTest, M15_ABodyThatTheEndDelimitsHasFailed) {
  const Outcome cut = RunTask(loop_, Exchange("HTTP/1.1 200 OK\r\n\r\nhalf", Goodbye::kNotSaid));
  EXPECT_EQ(cut.bytes, "half");
  EXPECT_EQ(cut.end, Chunk::kFailed);
  EXPECT_EQ(cut.why, (Failure{Side::kUpstream, Fault::kUpstreamTruncated}));
}

TEST_F(TlsTruncationTest, M15_WithAGoodbyeItIsWhole) {
  const Outcome whole = RunTask(loop_, Exchange("HTTP/1.1 200 OK\r\n\r\nwhole", Goodbye::kSaid));
  EXPECT_EQ(whole.bytes, "whole");
  EXPECT_EQ(whole.end, Chunk::kEnd);
}

TEST_F(TlsTruncationTest, M15_ABodyOfKnownLengthIsWholeEitherWay) {
  const Outcome whole =
      RunTask(loop_, Exchange("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole", Goodbye::kNotSaid));
  EXPECT_EQ(whole.bytes, "whole");
  EXPECT_EQ(whole.end, Chunk::kBytes);
}

TEST_F(TlsTruncationTest, M15_AChunkedBodyIsWholeEitherWay) {
  const Outcome whole = RunTask(
      loop_,
      Exchange("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n", Goodbye::kNotSaid));
  EXPECT_EQ(whole.bytes, "whole");
}

TEST_F(TlsTruncationTest, M15_ARelayPassesItOnAsAReset) {
  auto [upstream, origin] = PipeStream::Pair();
  ASSERT_EQ(ends_.client->Write("half of it").kind, Io::kBytes);
  End(*ends_.client, Goodbye::kNotSaid);
  RelayCounters live;
  const RelayEnd end = RunTask(loop_, Relay(*ends_.server, *upstream, {}, live, Gate::NeverOpen()));
  EXPECT_EQ(end.reason, RelayEnd::kClientSevered);
  EXPECT_EQ(NameOf(end.reason), "client_severed");
  EXPECT_EQ(FailureOf(end.reason), (Failure{Side::kClient, Fault::kClientEnded}));
  EXPECT_EQ(end.to_upstream, 10u);
  upstream.reset();
  EXPECT_EQ(RunTask(loop_, HearAll(*origin)).end.error, ECONNRESET);
}

}  // namespace
}  // namespace egret
