// The client codec on a pipe: what it writes, what it makes of an origin's answers, and whether a connection may be
// used again.
#include "source/http/http1_client.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "source/base/failure.h"
#include "source/base/strings.h"
#include "source/event/loop.h"
#include "test/http/codec_peer.h"
#include "test/support/pipe.h"

namespace egret {
namespace {

Head Request(std::string_view method, std::string_view path = "/x") {
  Head head;
  head.method = method;
  head.path = path;
  head.Add("Accept", "*/*");
  head.Add(FieldName::kHost, "a.example");
  return head;
}

class Http1ClientTest : public testing::Test {
 protected:
  Http1ClientTest() { Connect(1 << 20); }
  void Connect(size_t room) {
    client_.reset();
    std::tie(near_, origin_) = PipeStream::Pair(room);
    client_ = std::make_unique<Http1Client>(*near_, limits_);
  }
  Failure Send(const Head& head, Body* body = nullptr) { return Driven(loop_, client_->SendHead(head, body)).Finish(); }
  Result<Head, Failure> ReadHead() { return Driven(loop_, client_->ReadHead()).Finish(); }
  Failure ReadFailure() {
    const Result<Head, Failure> head = ReadHead();
    return head ? Failure{} : head.error();
  }
  // The content, and in `fault` how it ended.
  std::string ReadBody(Fault& fault) {
    const std::unique_ptr<Body> body = client_->ResponseBody();
    std::string content;
    fault = Fault::kNone;
    while (body != nullptr) {
      const Chunk chunk = Driven(loop_, body->Read()).Finish();
      if (chunk.kind == Chunk::kFailed) fault = chunk.why.fault;
      if (chunk.kind != Chunk::kBytes) break;
      content.append(chunk.bytes);
    }
    return content;
  }
  // A whole exchange; whether the connection may be used again.
  bool Exchange(const Head& request, std::string_view response) {
    EXPECT_FALSE(Send(request));
    Say(*origin_, response);
    Result<Head, Failure> head = ReadHead();
    while (head && head->status < 200) head = ReadHead();
    EXPECT_TRUE(head);
    Fault fault;
    ReadBody(fault);
    return client_->reusable();
  }

  Loop loop_;
  Http1ClientLimits limits_;
  std::unique_ptr<PipeStream> near_, origin_;
  std::unique_ptr<Http1Client> client_;
};

TEST_F(Http1ClientTest, AnExchangeCostsOneWriteAndTwoReadsAndTheConnectionIsReusable) {
  CountingStream counted(*near_);
  Http1Client client(counted, limits_);
  for (int i = 0; i < 3; ++i) {
    counted.reads = counted.writes = 0;
    EXPECT_FALSE(Driven(loop_, client.SendHead(Request("GET"), nullptr)).Finish());
    EXPECT_EQ(Hear(*origin_), "GET /x HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n");
    EXPECT_FALSE(client.response_begun());
    Driven reading(loop_, client.ReadHead());
    Say(*origin_, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    const Result<Head, Failure> head = reading.Finish();
    ASSERT_TRUE(head);
    EXPECT_EQ(head->status, 200);
    EXPECT_EQ(head->reason, "OK");
    EXPECT_FALSE(client.reusable());
    const std::unique_ptr<Body> body = client.ResponseBody();
    ASSERT_TRUE(body->Ready());
    const Chunk chunk = Driven(loop_, body->Read()).Finish();
    EXPECT_EQ(chunk.bytes, "hello");
    EXPECT_TRUE(chunk.last);
    EXPECT_TRUE(client.reusable());
    EXPECT_EQ(client.received_bytes(), 43u);
    EXPECT_EQ(client.sent_bytes(), 49u);
    EXPECT_EQ(counted.writes, 1);
    EXPECT_LE(counted.reads, 2);
  }
}

TEST_F(Http1ClientTest, TheTargetHasTheFormThatTheHeadNames) {
  Head head = Request("GET");
  head.form = TargetForm::kAbsolute;
  head.scheme = "http";
  head.authority = "a.example:8080";
  EXPECT_FALSE(Send(head));
  EXPECT_TRUE(Hear(*origin_).starts_with("GET http://a.example:8080/x HTTP/1.1\r\n"));
  head = Request("OPTIONS", "*");
  EXPECT_FALSE(Send(head));
  EXPECT_TRUE(Hear(*origin_).starts_with("OPTIONS * HTTP/1.1\r\n"));
  head.form = TargetForm::kAbsolute;
  head.scheme = "http";
  head.authority = "a.example";
  EXPECT_FALSE(Send(head));
  EXPECT_TRUE(Hear(*origin_).starts_with("OPTIONS http://a.example HTTP/1.1\r\n"));
  head = Request("CONNECT", "");
  head.form = TargetForm::kAuthority;
  head.authority = "a.example:443";
  EXPECT_FALSE(Send(head));
  EXPECT_EQ(Hear(*origin_), "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n");
  head = Request("GET", "/a b");
  EXPECT_EQ(Send(head), (Failure{Side::kEgret, Fault::kInternal}));
  head = Request("GET", "/a\r\nX: y");
  EXPECT_EQ(Send(head), (Failure{Side::kEgret, Fault::kInternal}));
  EXPECT_EQ(Hear(*origin_), "");
}

TEST_F(Http1ClientTest, FramingAndConnectionAreTheCodecsOwn) {
  Head head = Request("POST");
  head.Add(FieldName::kContentLength, "99");
  head.Add(FieldName::kTransferEncoding, "gzip");
  head.Add(FieldName::kConnection, "x");
  head.Add(FieldName::kTe, "trailers");
  head.Add(FieldName::kUpgrade, "websocket");
  const std::unique_ptr<Body> body = MakeBody("hello");
  EXPECT_FALSE(Send(head, body.get()));
  EXPECT_EQ(Hear(*origin_),
            "POST /x HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\nTE: trailers\r\nUpgrade: websocket\r\n"
            "Content-Length: 5\r\nConnection: Upgrade, TE\r\n\r\nhello");
  EXPECT_TRUE(client_->upload_complete());
  EXPECT_FALSE(Send(Request("POST")));
  EXPECT_TRUE(Hear(*origin_).ends_with("\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(Send(Request("DELETE")));
  EXPECT_TRUE(Hear(*origin_).ends_with("Accept: */*\r\n\r\n"));
}

TEST_F(Http1ClientTest, AnUploadOfUnknownLengthIsChunkedAndItsFirstChunkLeavesWithTheHead) {
  FedBody body;
  body.AddTrailer("X-Sum", "1");
  body.Feed("hello");
  EXPECT_FALSE(Send(Request("POST"), &body));
  EXPECT_TRUE(Hear(*origin_).ends_with("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"));
  EXPECT_TRUE(client_->upload_begun());
  Driven upload(loop_, client_->Upload(body));
  body.Feed("you");
  EXPECT_FALSE(upload.Settle());
  EXPECT_EQ(Hear(*origin_), "3\r\nyou\r\n");
  body.End();
  EXPECT_EQ(upload.Finish().kind, UploadEnd::kComplete);
  EXPECT_EQ(Hear(*origin_), "0\r\nX-Sum: 1\r\n\r\n");
}

TEST_F(Http1ClientTest, H14_AWithheldBodyWaitsForTheUpload) {
  const std::unique_ptr<Body> body = MakeBody("hello");
  EXPECT_FALSE(Driven(loop_, client_->SendHead(Request("POST"), body.get(), /*withhold_body=*/true)).Finish());
  EXPECT_TRUE(Hear(*origin_).ends_with("Content-Length: 5\r\n\r\n"));
  EXPECT_FALSE(client_->upload_begun());
  Say(*origin_, "HTTP/1.1 100 Continue\r\n\r\n");
  const Result<Head, Failure> interim = ReadHead();
  ASSERT_TRUE(interim);
  EXPECT_EQ(interim->status, 100);
  EXPECT_EQ(Driven(loop_, client_->Upload(*body)).Finish().kind, UploadEnd::kComplete);
  EXPECT_EQ(Hear(*origin_), "hello");
  Say(*origin_, "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE(ReadHead());
  EXPECT_TRUE(client_->reusable());
}

TEST_F(Http1ClientTest, H14_AConnectionWhoseBodyWasWithheldIsNeverReused) {
  const std::unique_ptr<Body> body = MakeBody("hello");
  EXPECT_FALSE(Driven(loop_, client_->SendHead(Request("POST"), body.get(), /*withhold_body=*/true)).Finish());
  Say(*origin_, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(ReadHead());
  EXPECT_TRUE(client_->response_complete());
  EXPECT_FALSE(client_->reusable());
}

TEST_F(Http1ClientTest, H13_AnEarlyFinalResponseComesWhileTheUploadStillFlows) {
  FedBody body;
  EXPECT_FALSE(Send(Request("POST"), &body));
  Driven upload(loop_, client_->Upload(body));
  Say(*origin_, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  ASSERT_TRUE(ReadHead());
  Fault fault;
  EXPECT_EQ(ReadBody(fault), "hi");
  EXPECT_TRUE(client_->response_complete());
  EXPECT_FALSE(client_->reusable());
  body.Feed("rest");
  body.End();
  EXPECT_EQ(upload.Finish().kind, UploadEnd::kComplete);
  EXPECT_TRUE(client_->reusable());
}

TEST_F(Http1ClientTest, H13_AnOriginThatAnsweredAndClosedStopsTheUploadAndIsNotReused) {
  FedBody body;
  EXPECT_FALSE(Send(Request("POST"), &body));
  Driven upload(loop_, client_->Upload(body));
  Say(*origin_, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
  origin_->Finish();
  const UploadEnd end = upload.Finish();
  EXPECT_EQ(end.kind, UploadEnd::kOriginStoppedReading);
  ASSERT_TRUE(ReadHead());
  Fault fault;
  EXPECT_EQ(ReadBody(fault), "no");
  EXPECT_EQ(fault, Fault::kNone);
  EXPECT_FALSE(client_->reusable());
}

TEST_F(Http1ClientTest, AnUploadThatIsBlockedEndsWhenTheOriginEndsItsSide) {
  Connect(500);
  FedBody body;
  EXPECT_FALSE(Send(Request("POST"), &body));
  Driven upload(loop_, client_->Upload(body));
  body.Feed(std::string(5000, 'x'));
  EXPECT_FALSE(upload.Settle());
  EXPECT_EQ(body.released, 1);
  origin_->Finish();
  EXPECT_EQ(upload.Finish().kind, UploadEnd::kOriginStoppedReading);
}

TEST_F(Http1ClientTest, H28_AClientThatFailsInsideItsBodyEndsTheUploadWithoutCompletingIt) {
  FedBody body;
  body.Feed("hello");
  EXPECT_FALSE(Send(Request("POST"), &body));
  Driven upload(loop_, client_->Upload(body));
  body.Fail({Side::kClient, Fault::kClientEnded});
  const UploadEnd end = upload.Finish();
  EXPECT_EQ(end.kind, UploadEnd::kClientFailed);
  EXPECT_EQ(end.why.fault, Fault::kClientEnded);
  EXPECT_TRUE(Hear(*origin_).ends_with("5\r\nhello\r\n"));
  EXPECT_FALSE(client_->reusable());
}

TEST_F(Http1ClientTest, ABodyThatHasFailedAlreadyIsNotSentAtAll) {
  FedBody body;
  body.Fail({Side::kClient, Fault::kHttpChunk});
  EXPECT_EQ(Send(Request("POST"), &body), (Failure{Side::kClient, Fault::kHttpChunk}));
  EXPECT_FALSE(client_->request_written());
  EXPECT_EQ(Hear(*origin_), "");
}

TEST_F(Http1ClientTest, H15_ContentOfHeadNoContentAndNotModifiedIsNeverExpectedAndItsBytesPoisonTheConnection) {
  EXPECT_TRUE(Exchange(Request("HEAD"), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_TRUE(Exchange(Request("HEAD"), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_TRUE(Exchange(Request("GET"), "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_TRUE(Exchange(Request("GET"), "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_TRUE(Exchange(Request("GET"), "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_FALSE(Exchange(Request("HEAD"), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"));
  Connect(65536);
  EXPECT_FALSE(Exchange(Request("GET"), "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"));
  Connect(65536);
  EXPECT_FALSE(Exchange(Request("GET"), "HTTP/1.1 304 Not Modified\r\n\r\nx"));
  Connect(65536);
  EXPECT_FALSE(Exchange(Request("GET"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n"));
  Connect(65536);
  EXPECT_FALSE(Exchange(Request("GET"), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"));
  Connect(65536);
  EXPECT_FALSE(Exchange(Request("GET"), "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"));
  Connect(65536);
  EXPECT_TRUE(Exchange(Request("GET"), "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi"));
}

TEST_F(Http1ClientTest, H16_InterimResponsesAreCappedAndAnUnasked101Refused) {
  EXPECT_FALSE(Send(Request("GET")));
  for (int i = 0; i < 17; ++i) Say(*origin_, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(ReadHead());
  EXPECT_EQ(ReadFailure().fault, Fault::kUpstreamTooManyInterim);
  EXPECT_FALSE(client_->reusable());
  Connect(65536);
  EXPECT_FALSE(Send(Request("GET")));
  Say(*origin_, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
  EXPECT_EQ(ReadFailure().fault, Fault::kUpstreamUnasked101);
}

TEST_F(Http1ClientTest, H16_AnAskedFor101IsFinalAndA200InsteadIsAnOrdinaryResponse) {
  Head head = Request("GET");
  head.Add(FieldName::kUpgrade, "websocket");
  EXPECT_FALSE(Send(head));
  Say(*origin_, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nframe");
  const Result<Head, Failure> switched = ReadHead();
  ASSERT_TRUE(switched);
  EXPECT_EQ(switched->status, 101);
  EXPECT_EQ(client_->ResponseBody(), nullptr);
  EXPECT_FALSE(client_->reusable());
  EXPECT_EQ(client_->TakeUnparsed(), "frame");
  Connect(65536);
  EXPECT_TRUE(Exchange(head, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"));
}

TEST_F(Http1ClientTest, A2xxToConnectHasNoContentAndAnythingElseHas) {
  Head head = Request("CONNECT", "");
  head.form = TargetForm::kAuthority;
  head.authority = "a.example:443";
  EXPECT_FALSE(Send(head));
  Say(*origin_, "HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\nearly");
  ASSERT_TRUE(ReadHead());
  EXPECT_EQ(client_->ResponseBody(), nullptr);
  EXPECT_EQ(client_->TakeUnparsed(), "early");
  EXPECT_FALSE(client_->reusable());
  Connect(65536);
  EXPECT_TRUE(Exchange(head, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno"));
}

TEST_F(Http1ClientTest, ContentUntilTheEndIsCompleteAtFinAndFailedAtReset) {
  EXPECT_FALSE(Send(Request("GET")));
  Say(*origin_, "HTTP/1.1 200 OK\r\n\r\nhello");
  origin_->Finish();
  ASSERT_TRUE(ReadHead());
  Fault fault;
  EXPECT_EQ(ReadBody(fault), "hello");
  EXPECT_EQ(fault, Fault::kNone);
  EXPECT_FALSE(client_->reusable());
  for (const std::string_view fields : {"", "Content-Length: 9\r\n", "Transfer-Encoding: chunked\r\n"}) {
    Connect(65536);
    EXPECT_FALSE(Send(Request("GET")));
    Say(*origin_, Cat("HTTP/1.1 200 OK\r\n", fields, "\r\n"));
    ASSERT_TRUE(ReadHead());
    origin_->Reset();
    ReadBody(fault);
    EXPECT_EQ(fault, Fault::kUpstreamReset);
  }
}

TEST_F(Http1ClientTest, AnOriginThatEndsWithoutAnAnswerIsToldFromOneThatResets) {
  EXPECT_FALSE(Send(Request("GET")));
  origin_->Finish();
  EXPECT_EQ(ReadFailure(), (Failure{Side::kUpstream, Fault::kUpstreamClosed}));
  EXPECT_FALSE(client_->response_begun());
  Connect(65536);
  EXPECT_FALSE(Send(Request("GET")));
  origin_->Reset();
  EXPECT_EQ(ReadFailure(), (Failure{Side::kUpstream, Fault::kUpstreamReset}));
  Connect(65536);
  origin_->Reset();
  EXPECT_EQ(Send(Request("GET")), (Failure{Side::kUpstream, Fault::kUpstreamReset}));
  EXPECT_FALSE(client_->request_written());
}

TEST_F(Http1ClientTest, AnIdleConnectionIsQuietOrNotUsed) {
  EXPECT_TRUE(Exchange(Request("GET"), "HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_TRUE(client_->StillQuiet());
  Say(*origin_, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");  // of a request that nobody made
  EXPECT_FALSE(client_->StillQuiet());
  EXPECT_FALSE(client_->reusable());
  Connect(65536);
  EXPECT_TRUE(Exchange(Request("GET"), "HTTP/1.1 204 No Content\r\n\r\n"));
  origin_->Finish();
  EXPECT_FALSE(client_->StillQuiet());
  EXPECT_FALSE(client_->reusable());
}

TEST_F(Http1ClientTest, EveryWaitHasItsLimit) {
  limits_.head_ms = limits_.body_ms = limits_.write_ms = 20;
  Connect(60);
  EXPECT_FALSE(Send(Request("GET")));
  EXPECT_EQ(ReadFailure().fault, Fault::kUpstreamTimeoutHeader);
  Connect(60);
  EXPECT_FALSE(Send(Request("GET")));
  Say(*origin_, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
  ASSERT_TRUE(ReadHead());
  Fault fault;
  ReadBody(fault);
  EXPECT_EQ(fault, Fault::kUpstreamTimeoutBody);
  Connect(60);
  EXPECT_EQ(Send(Request("GET", Cat("/", std::string(100, 'x')))).fault, Fault::kUpstreamTimeoutWrite);
}

TEST_F(Http1ClientTest, AnAnswerIsNotAwaitedWhileTheRequestIsStillBeingTaken) {
  limits_.head_ms = 100;
  FedBody body;
  EXPECT_FALSE(Send(Request("POST"), &body));
  Driven upload(loop_, client_->Upload(body));
  Driven reading(loop_, client_->ReadHead());
  const uint64_t begun_ms = loop_.now_ms();
  while (loop_.now_ms() < begun_ms + 250) {
    body.Feed("x");
    loop_.Turn(10);
    ASSERT_FALSE(reading.done());
  }
  EXPECT_EQ(reading.Finish().error().fault, Fault::kUpstreamTimeoutHeader);
}

}  // namespace
}  // namespace egret
