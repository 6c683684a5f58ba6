// The server codec on a pipe: exchanges one behind the other, and what becomes of the connection after each.
#include "source/http/http1_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "source/base/failure.h"
#include "source/base/frame_pool.h"
#include "source/base/strings.h"
#include "source/event/loop.h"
#include "test/http/codec_peer.h"
#include "test/support/pipe.h"

namespace egret {
namespace {

constexpr std::string_view kGet = "GET http://a.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n";

std::string Post(std::string_view fields, std::string_view content) {
  return Cat("POST http://a.example/x HTTP/1.1\r\nHost: a.example\r\n", fields, "\r\n", content);
}

Head Status(int status) {
  Head head;
  head.status = status;
  return head;
}

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

class Http1ServerTest : public testing::Test {
 protected:
  Http1ServerTest() { Connect(65536); }
  void Connect(size_t room) {
    server_.reset();
    std::tie(near_, client_) = PipeStream::Pair(room);
    server_ = std::make_unique<Http1Server>(*near_, limits_);
  }
  Result<Request, Failure> Next() { return Driven(loop_, server_->Next()).Finish(); }
  Failure NextFailure() {
    const Result<Request, Failure> request = Next();
    return request ? Failure{} : request.error();
  }
  Failure Respond(const Head& head, Body* body = nullptr) {
    return Driven(loop_, server_->Respond(head, body)).Finish();
  }
  bool Settle() { return Driven(loop_, server_->Settle()).Finish(); }
  // Next, Respond: what the client hears.
  std::string Answer(std::string_view request, int status = 200, std::string content = "hi") {
    Say(*client_, request);
    const Result<Request, Failure> next = Next();
    Head head = Status(status);
    const std::unique_ptr<Body> body = MakeBody(std::move(content));
    EXPECT_FALSE(Respond(head, body.get()));
    return Hear(*client_);
  }

  Loop loop_;
  Http1ServerLimits limits_;
  std::unique_ptr<PipeStream> near_, client_;
  std::unique_ptr<Http1Server> server_;
};

TEST_F(Http1ServerTest, AnExchangeCostsOneReadAndOneWriteAndTheConnectionStays) {
  CountingStream counted(*near_);
  Http1Server server(counted, limits_);
  for (int i = 0; i < 3; ++i) {
    counted.reads = counted.writes = 0;
    Driven next(loop_, server.Next());
    Say(*client_, kGet);
    const Result<Request, Failure> request = next.Finish();
    ASSERT_TRUE(request);
    EXPECT_EQ(request->head.authority, "a.example");
    EXPECT_EQ(request->head.path, "/x");
    EXPECT_EQ(request->body, nullptr);
    const std::unique_ptr<Body> body = MakeBody("hi");
    EXPECT_FALSE(Driven(loop_, server.Respond(Status(200), body.get())).Finish());
    EXPECT_EQ(Hear(*client_), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    EXPECT_TRUE(Driven(loop_, server.Settle()).Finish());
    EXPECT_EQ(server.received_bytes(), kGet.size());
    EXPECT_EQ(server.sent_bytes(), 40u);
    EXPECT_EQ(counted.writes, 1);
    EXPECT_LE(counted.reads, i == 0 ? 1 : 2);  // one may be needed to learn that there is nothing more
  }
}

TEST_F(Http1ServerTest, H12_AHundredPipelinedRequestsAreAnsweredInOrder) {
  std::string all;
  for (int i = 0; i < 100; ++i) {
    all += i % 3 == 0
               ? Cat("POST http://a.example/", i, " HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nGET ")
               : Cat("GET http://a.example/", i, " HTTP/1.1\r\nHost: a.example\r\n\r\n");
  }
  Say(*client_, all);
  for (int i = 0; i < 100; ++i) {
    const Result<Request, Failure> request = Next();
    ASSERT_TRUE(request) << i;
    EXPECT_EQ(request->head.path, Cat("/", i));
    const int status = i % 2 == 0 ? 200 : 403;
    ASSERT_FALSE(Respond(Status(status)));
    EXPECT_EQ(Hear(*client_).substr(9, 3), std::to_string(status));
    ASSERT_TRUE(Settle());
  }
  client_->Finish();
  EXPECT_EQ(NextFailure(), (Failure{Side::kClient, Fault::kNone}));
}

TEST_F(Http1ServerTest, AnEndBetweenRequestsIsNoFaultAndInsideAHeadIsOne) {
  client_->Finish();
  const Result<Request, Failure> none = Next();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().fault, Fault::kNone);
  Connect(65536);
  Say(*client_, "GET http://a");
  client_->Finish();
  EXPECT_EQ(NextFailure().fault, Fault::kClientEnded);
  Connect(65536);
  client_->Reset();
  EXPECT_EQ(NextFailure().fault, Fault::kClientGone);
}

// core.md's table, row by row: what follows a final response.
TEST_F(Http1ServerTest, AfterABodyThatWasReadTheConnectionStays) {
  Say(*client_, Post("Content-Length: 5\r\n", "hello"));
  Result<Request, Failure> request = Next();
  const Chunk chunk = Driven(loop_, request->body->Read()).Finish();
  EXPECT_EQ(chunk.bytes, "hello");
  EXPECT_TRUE(chunk.last);
  EXPECT_EQ(Driven(loop_, request->body->Read()).Finish().kind, Chunk::kEnd);
  EXPECT_TRUE(server_->request_complete());
  EXPECT_FALSE(Respond(Status(200)));
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(Settle());
}

TEST_F(Http1ServerTest, AnUnreadBodyOfKnownSmallRestIsDrained) {
  EXPECT_FALSE(Has(Answer(Post("Content-Length: 65536\r\n", std::string(60000, 'x')), 403), "Connection"));
  Driven settle(loop_, server_->Settle());
  EXPECT_FALSE(settle.Settle());
  Say(*client_, Cat(std::string(5536, 'x'), kGet));
  EXPECT_TRUE(settle.Finish());
  const Result<Request, Failure> request = Next();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->head.method, "GET");
}

TEST_F(Http1ServerTest, AnUnreadBodyAboveTheDrainCapClosesAndTheAnswerArrives) {
  EXPECT_TRUE(Has(Answer(Post("Content-Length: 65537\r\n", "x"), 403), "\r\nConnection: close\r\n"));
  Driven settle(loop_, server_->Settle());
  EXPECT_FALSE(settle.Settle());
  EXPECT_EQ(client_->in().ended, true);  // our side is ended; the client's rest is thrown away until it ends
  Say(*client_, "more");
  client_->Finish();
  EXPECT_FALSE(settle.Finish());
}

TEST_F(Http1ServerTest, AChunkedBodyWhoseEndIsAtHandIsDrainedAndAnotherOneCloses) {
  EXPECT_FALSE(Has(Answer(Post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), 403), "Connection"));
  EXPECT_TRUE(Settle());
  EXPECT_TRUE(Has(Answer(Post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"), 403), "Connection: close"));
}

TEST_F(Http1ServerTest, AFinalAnswerToAPendingExpectationCloses) {
  EXPECT_TRUE(Has(Answer(Post("Expect: 100-continue\r\nContent-Length: 5\r\n", ""), 417), "Connection: close"));
  limits_.linger_ms = 20;
  EXPECT_FALSE(Settle());
}

TEST_F(Http1ServerTest, AfterA100TheBodyIsDrainedAndTheConnectionStays) {
  Say(*client_, Post("Expect: 100-continue\r\nContent-Length: 5\r\n", ""));
  const Result<Request, Failure> request = Next();
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->expects_continue);
  EXPECT_FALSE(Driven(loop_, server_->Inform(Status(100))).Finish());
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_FALSE(Respond(Status(403)));
  EXPECT_FALSE(Has(Hear(*client_), "Connection"));
  Say(*client_, "hello");
  EXPECT_TRUE(Settle());
}

TEST_F(Http1ServerTest, ARestThatNeverComesClosesAfterAWhile) {
  limits_.drain_ms = limits_.linger_ms = 20;
  EXPECT_FALSE(Has(Answer(Post("Content-Length: 5\r\n", "he"), 403), "Connection"));
  EXPECT_FALSE(Settle());
}

TEST_F(Http1ServerTest, ARefusedConnectStaysUnlessEarlyBytesCameBehindIt) {
  const std::string connect = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
  EXPECT_FALSE(Has(Answer(connect, 407), "Connection"));
  EXPECT_TRUE(Settle());
  EXPECT_TRUE(Has(Answer(Cat(connect, "\x16\x03\x01"), 407), "Connection: close"));
  limits_.linger_ms = 20;
  Connect(65536);
  Say(*client_, connect);
  ASSERT_TRUE(Next());
  Say(*client_, "early");  // since the head was read
  EXPECT_FALSE(Respond(Status(403)));
  EXPECT_TRUE(Has(Hear(*client_), "Connection: close"));
}

TEST_F(Http1ServerTest, AnAcceptedConnectHasNoFramingAndItsEarlyBytesAreTheTunnels) {
  Say(*client_, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\nearly");
  const Result<Request, Failure> request = Next();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->head.authority, "a.example:443");
  EXPECT_EQ(request->head.form, TargetForm::kAuthority);
  Head head = Status(200);
  head.Add(FieldName::kContentLength, "5");
  EXPECT_FALSE(Respond(head));
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(server_->TakeUnparsed(), "early");
}

TEST_F(Http1ServerTest, ASwitchOfProtocolsNamesUpgradeAndHandsTheRestOver) {
  Say(*client_,
      "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nframe");
  ASSERT_TRUE(Next());
  Head head = Status(101);
  head.Add(FieldName::kUpgrade, "websocket");
  EXPECT_FALSE(Respond(head));
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  EXPECT_EQ(server_->TakeUnparsed(), "frame");
}

TEST_F(Http1ServerTest, KeepAliveFollowsTheClientsVersionAndWish) {
  const auto request = [](std::string_view version, std::string_view fields) {
    return Cat("GET http://a.example/ ", version, "\r\nHost: a.example\r\n", fields, "\r\n");
  };
  struct Row {
    std::string bytes;
    std::string_view connection;
  };
  for (const Row& row :
       {Row{request("HTTP/1.1", ""), ""}, Row{request("HTTP/1.1", "Connection: close\r\n"), "close"},
        Row{request("HTTP/1.1", "Connection: x, Close\r\n"), "close"},
        Row{request("HTTP/1.1", "Proxy-Connection: close\r\n"), "close"},
        Row{request("HTTP/1.1", "Connection: keep-alive\r\n"), ""}, Row{request("HTTP/1.0", ""), "close"},
        Row{request("HTTP/1.0", "Connection: keep-alive\r\n"), "keep-alive"},
        Row{request("HTTP/1.0", "Connection: keep-alive, close\r\n"), "close"}}) {
    Connect(65536);
    const std::string heard = Answer(row.bytes);
    EXPECT_EQ(Has(heard, "Connection"), !row.connection.empty()) << heard;
    if (!row.connection.empty()) {
      EXPECT_TRUE(Has(heard, Cat("\r\nConnection: ", row.connection, "\r\n"))) << heard;
    }
    client_->Finish();
    EXPECT_EQ(Settle(), row.connection != "close");
  }
}

TEST_F(Http1ServerTest, CloseAfterThisClosesAfterTheNextResponse) {
  Say(*client_, kGet);
  ASSERT_TRUE(Next());
  server_->CloseAfterThis();
  EXPECT_FALSE(Respond(Status(200)));
  EXPECT_TRUE(Has(Hear(*client_), "Connection: close"));
}

TEST_F(Http1ServerTest, ARefusedHeadIsAnsweredAndTheConnectionCloses) {
  Say(*client_, "GET http://u:p@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\nGET / HTTP/1.1\r\n");
  EXPECT_EQ(NextFailure(), (Failure{Side::kClient, Fault::kHttpTarget}));
  EXPECT_EQ(server_->refused().method, "GET");
  EXPECT_EQ(server_->refused().target, "http://u:p@a.example/");
  const std::unique_ptr<Body> body = MakeBody("no");
  EXPECT_FALSE(Respond(Status(400), body.get()));
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
  client_->Finish();
  EXPECT_FALSE(Settle());
}

TEST_F(Http1ServerTest, H15_HeadNoContentAndNotModifiedHaveNoBodyButMayTellItsLength) {
  const std::string head = "HEAD http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n";
  EXPECT_EQ(Answer(head, 403, "hello"), "HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(Settle());
  Head told = Status(200);
  told.Add(FieldName::kContentLength, "1234");
  Say(*client_, head);
  ASSERT_TRUE(Next());
  EXPECT_FALSE(Respond(told));
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
  ASSERT_TRUE(Settle());
  Say(*client_, head);
  ASSERT_TRUE(Next());
  EXPECT_FALSE(Respond(Status(200)));
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 200 OK\r\n\r\n");
  ASSERT_TRUE(Settle());
  told.status = 304;
  Say(*client_, kGet);
  ASSERT_TRUE(Next());
  EXPECT_FALSE(Respond(told));
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\n\r\n");
  ASSERT_TRUE(Settle());
  told.status = 204;
  Say(*client_, kGet);
  ASSERT_TRUE(Next());
  EXPECT_FALSE(Respond(told));
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_TRUE(Settle());
}

TEST_F(Http1ServerTest, ContentOfUnknownLengthIsChunkedWithItsTrailers) {
  Say(*client_, kGet);
  ASSERT_TRUE(Next());
  FedBody body;
  body.AddTrailer("X-Sum", "1");
  Head head = Status(200);
  head.Add(FieldName::kContentLength, "99");  // not what the body says
  head.Add(FieldName::kTransferEncoding, "gzip");
  Driven respond(loop_, server_->Respond(head, &body));
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");  // at once
  body.Feed("hello");
  EXPECT_FALSE(respond.Settle());
  EXPECT_EQ(Hear(*client_), "5\r\nhello\r\n");
  body.Feed(std::string(5000, 'x'));
  EXPECT_FALSE(respond.Settle());
  EXPECT_EQ(Hear(*client_), Cat("1388\r\n", std::string(5000, 'x'), "\r\n"));
  body.End();
  EXPECT_FALSE(respond.Finish());
  EXPECT_EQ(Hear(*client_), "0\r\nX-Sum: 1\r\n\r\n");
  EXPECT_TRUE(Settle());
}

TEST_F(Http1ServerTest, AnOldClientGetsThePlainBytesAndTheEndOfTheConnection) {
  Say(*client_, "GET http://a.example/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_TRUE(Next());
  FedBody body;
  body.AddTrailer("X-Sum", "1");
  Driven inform(loop_, server_->Inform(Status(103)));
  EXPECT_FALSE(inform.Finish());
  Driven respond(loop_, server_->Respond(Status(200), &body));
  body.Feed("hello");
  body.End();
  EXPECT_FALSE(respond.Finish());
  EXPECT_EQ(Hear(*client_), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
  client_->Finish();
  EXPECT_FALSE(Settle());
}

TEST_F(Http1ServerTest, AFailedBodyLeavesTheResponseVisiblyIncomplete) {
  Say(*client_, kGet);
  ASSERT_TRUE(Next());
  FedBody body;
  body.Feed("hello");
  Driven respond(loop_, server_->Respond(Status(200), &body));
  body.Fail({Side::kUpstream, Fault::kUpstreamTruncated});
  EXPECT_EQ(respond.Finish(), (Failure{Side::kUpstream, Fault::kUpstreamTruncated}));
  EXPECT_TRUE(server_->responded_head());
  const std::string heard = Hear(*client_);
  EXPECT_TRUE(heard.ends_with("5\r\nhello\r\n")) << heard;
}

TEST_F(Http1ServerTest, ABodyThatFailedBeforeTheHeadWasOutLeavesRoomForAnotherAnswer) {
  Say(*client_, kGet);
  ASSERT_TRUE(Next());
  FedBody body;
  body.Fail({Side::kUpstream, Fault::kUpstreamMalformed});
  EXPECT_EQ(Respond(Status(200), &body).fault, Fault::kUpstreamMalformed);
  EXPECT_FALSE(server_->responded_head());
  EXPECT_FALSE(Respond(Status(502)));
  EXPECT_TRUE(Hear(*client_).starts_with("HTTP/1.1 502 Bad Gateway\r\n"));
}

TEST_F(Http1ServerTest, ABodyThatIsNotAsLongAsItSaidIsOurFaultAndNeverSent) {
  for (const std::string_view content : {"toolong", "sho"}) {
    Connect(65536);
    Say(*client_, kGet);
    ASSERT_TRUE(Next());
    FedBody body(5);
    body.Feed(std::string(content));
    body.End();
    EXPECT_EQ(Respond(Status(200), &body), (Failure{Side::kEgret, Fault::kInternal}));
    EXPECT_FALSE(Has(Hear(*client_), "toolong"));
  }
}

TEST_F(Http1ServerTest, H27_AHeadThatCouldSplitTheResponseIsNotWritten) {
  for (const std::string_view value : {"a\r\nB: c", "a\nb", "a\rb"}) {
    Connect(65536);
    Say(*client_, kGet);
    ASSERT_TRUE(Next());
    Head head = Status(200);
    head.Add("A", value);
    EXPECT_EQ(Respond(head), (Failure{Side::kEgret, Fault::kInternal}));
    Head name = Status(200);
    name.Add(Cat("A: ", value), "b");
    EXPECT_EQ(Respond(name), (Failure{Side::kEgret, Fault::kInternal}));
    Head reason = Status(200);
    reason.reason = value;
    EXPECT_EQ(Respond(reason), (Failure{Side::kEgret, Fault::kInternal}));
    EXPECT_EQ(Hear(*client_), "");
  }
}

TEST_F(Http1ServerTest, H28_AClientThatEndsInsideItsBodyIsSeen) {
  Say(*client_, Post("Content-Length: 9\r\n", "hello"));
  Result<Request, Failure> request = Next();
  EXPECT_EQ(Driven(loop_, request->body->Read()).Finish().bytes, "hello");
  Driven read(loop_, request->body->Read());
  EXPECT_FALSE(read.Settle());
  client_->Finish();
  EXPECT_EQ(read.Finish().why, (Failure{Side::kClient, Fault::kClientEnded}));
  EXPECT_FALSE(server_->request_complete());
  EXPECT_EQ(Driven(loop_, request->body->Read()).Finish().kind, Chunk::kFailed);

  Connect(65536);
  Say(*client_, Post("Transfer-Encoding: chunked\r\n", "5\r\nhel"));
  Result<Request, Failure> chunked = Next();
  EXPECT_EQ(Driven(loop_, chunked->body->Read()).Finish().bytes, "hel");
  Driven rest(loop_, chunked->body->Read());
  client_->Reset();
  EXPECT_EQ(rest.Finish().why, (Failure{Side::kClient, Fault::kClientGone}));
}

TEST_F(Http1ServerTest, ReadyMeansThatReadDoesNotWait) {
  Say(*client_, Post("Transfer-Encoding: chunked\r\n", "5\r\n"));
  Result<Request, Failure> request = Next();
  EXPECT_FALSE(request->body->Ready());  // framing alone
  Driven read(loop_, request->body->Read());
  EXPECT_FALSE(read.Settle());
  Say(*client_, "hel");
  EXPECT_EQ(read.Finish().bytes, "hel");
  EXPECT_FALSE(request->body->Ready());
  Say(*client_, "lo\r\n3\r\nyou\r\n0\r\nX-Sum: 1\r\n\r\n");
  Driven more(loop_, request->body->Read());
  EXPECT_EQ(more.Finish().bytes, "loyou");
  EXPECT_TRUE(request->body->Ready());
  EXPECT_EQ(Driven(loop_, request->body->Read()).Finish().kind, Chunk::kEnd);
  ASSERT_NE(request->body->trailers(), nullptr);
  EXPECT_EQ(request->body->trailers()->fields().size(), 1u);
}

TEST_F(Http1ServerTest, WhatIsReadyOutlivesTheReleaseOfTheBuffer) {
  for (const std::string_view fields : {"Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\n"}) {
    Connect(65536);
    Say(*client_, Post(fields, fields.starts_with('T') ? "5\r\nhello\r\n0\r\n\r\n" : "hello"));
    Result<Request, Failure> request = Next();
    EXPECT_TRUE(request->body->Ready());
    request->body->Release();
    EXPECT_TRUE(request->body->Ready());
    request->body->Release();
    EXPECT_EQ(Driven(loop_, request->body->Read()).Finish().bytes, "hello");
    EXPECT_EQ(Driven(loop_, request->body->Read()).Finish().kind, Chunk::kEnd);
  }
}

TEST_F(Http1ServerTest, ASlowReaderHoldsNoBorrowedBuffer) {
  Connect(1000);
  Say(*client_, kGet);
  ASSERT_TRUE(Next());
  FedBody body;
  body.Feed(std::string(6000, 'x'));
  Driven respond(loop_, server_->Respond(Status(200), &body));
  EXPECT_FALSE(respond.Settle());
  EXPECT_EQ(body.released, 1);
  std::string heard = Hear(*client_);
  body.End();
  while (!respond.Settle()) heard += Hear(*client_);
  heard += Hear(*client_);
  EXPECT_TRUE(Has(heard, Cat("\r\n1770\r\n", std::string(6000, 'x'), "\r\n0\r\n\r\n")));
}

TEST_F(Http1ServerTest, EveryWaitHasItsLimit) {
  limits_.idle_ms = limits_.head_ms = limits_.body_ms = limits_.write_ms = 20;
  Connect(100);
  EXPECT_EQ(NextFailure().fault, Fault::kIdleTimeout);
  Say(*client_, "GET http://a");
  EXPECT_EQ(NextFailure().fault, Fault::kClientTimeoutHeader);
  EXPECT_FALSE(Respond(Status(408)));
  EXPECT_TRUE(Has(Hear(*client_), "408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n"));
  Connect(200);
  Say(*client_, Post("Content-Length: 9\r\n", ""));
  Result<Request, Failure> request = Next();
  EXPECT_EQ(Driven(loop_, request->body->Read()).Finish().why.fault, Fault::kClientTimeoutBody);
  Connect(100);
  Say(*client_, kGet);
  ASSERT_TRUE(Next());
  const std::unique_ptr<Body> body = MakeBody(std::string(1000, 'x'));
  EXPECT_EQ(Respond(Status(200), body.get()).fault, Fault::kClientTimeoutWrite);
}

TEST_F(Http1ServerTest, ADrippedHeadIsHeldToOneDeadline) {
  limits_.head_ms = 60;
  Driven next(loop_, server_->Next());
  Say(*client_, "GET");
  while (!next.Settle()) {
    Say(*client_, "X");
    while (loop_.Turn(10) && !next.done()) {  // a byte each 10 ms: more of them in a rush would be too large a head
    }
  }
  const Result<Request, Failure> request = next.Finish();
  ASSERT_FALSE(request);
  EXPECT_EQ(request.error().fault, Fault::kClientTimeoutHeader);
}

TEST_F(Http1ServerTest, ANextThatWasCancelledCanBeCalledAgain) {
  {
    Driven next(loop_, server_->Next());
    EXPECT_FALSE(next.Settle());
    EXPECT_TRUE(server_->between_requests());
  }
  {
    Driven next(loop_, server_->Next());
    Say(*client_, kGet.substr(0, 10));
    EXPECT_FALSE(next.Settle());
    EXPECT_FALSE(server_->between_requests());
  }
  Say(*client_, kGet.substr(10));
  EXPECT_TRUE(Next());
}

TEST_F(Http1ServerTest, AnIdleConnectionIsSmall) {
  Driven next(loop_, server_->Next());
  EXPECT_FALSE(next.Settle());
  EXPECT_LE(FramePool::live_bytes() + sizeof(Http1Server), 1280u);
}

TEST_F(Http1ServerTest, H14_ExpectOfAnOldClientOrWithoutContentIsRemoved) {
  Say(*client_, "POST http://a.example/ HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx");
  const Result<Request, Failure> old = Next();
  ASSERT_TRUE(old);
  EXPECT_FALSE(old->expects_continue);
  EXPECT_EQ(old->head.Find(FieldName::kExpect), nullptr);
  Connect(65536);
  Say(*client_, Post("Expect: 100-continue\r\nContent-Length: 0\r\n", ""));
  const Result<Request, Failure> empty = Next();
  ASSERT_TRUE(empty);
  EXPECT_FALSE(empty->expects_continue);
  EXPECT_EQ(empty->head.Find(FieldName::kExpect), nullptr);
  Connect(65536);
  Say(*client_, Post("Expect: 100-Continue\r\nExpect: 100-continue\r\nContent-Length: 1\r\n", ""));
  const Result<Request, Failure> twice = Next();
  ASSERT_TRUE(twice);
  EXPECT_TRUE(twice->expects_continue);
  EXPECT_EQ(twice->head.Count(FieldName::kExpect), 1u);
}

}  // namespace
}  // namespace egret
