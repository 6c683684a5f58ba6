// The client codec on a pipe: against frames that a server may or may not send, and against the server codec.
#include "source/http/http2_client.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/failure.h"
#include "source/base/frame_pool.h"
#include "source/base/strings.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/http/http2_server.h"
#include "test/http/codec_peer.h"
#include "test/http/http2_client_bench.h"
#include "test/support/http2_frames.h"
#include "test/support/pipe.h"

namespace egret {
namespace {

using namespace h2;
using namespace std::string_view_literals;

class Http2ClientTest : public Http2ClientBench {};

const Fields kOk = {{":status", "200"}};

TEST_F(Http2ClientTest, AnExchange) {
  Start();
  Head head = RequestHead();
  head.Add("Connection", "close");
  head.Add("User-Agent", "test");
  const auto stream = Ask(head);
  EXPECT_EQ(Heard(), "HEADERS 1 END_STREAM :method=GET :scheme=http :authority=a.example :path=/x user-agent=test\n");
  EXPECT_TRUE(stream->request_written());
  EXPECT_FALSE(stream->response_begun());
  Say(Headers(1, {{":status", "103"}, {"link", "x"}}, kEndHeaders));
  EXPECT_EQ(ReadHead(*stream)->status, 103);
  Say(Headers(1, {{":status", "200"}, {"content-length", "5"}, {"x", " y "}}, kEndHeaders) +
      Data(1, "hello", kEndStream));
  const Result<Head, Failure> final = ReadHead(*stream);
  ASSERT_TRUE(final);
  EXPECT_EQ(final->status, 200);
  EXPECT_EQ(final->version, Version::kHttp2);
  EXPECT_EQ(final->Find("x")->value, "y");  // trimmed
  const std::unique_ptr<Body> body = stream->ResponseBody();
  ASSERT_NE(body, nullptr);
  EXPECT_EQ(body->Length(), 5u);
  const Chunk chunk = Driven(loop_, body->Read()).Finish();
  EXPECT_EQ(chunk.bytes, "hello");
  EXPECT_TRUE(chunk.last);
  EXPECT_EQ(Driven(loop_, body->Read()).Finish().kind, Chunk::kEnd);
  EXPECT_TRUE(stream->response_complete());
}

TEST_F(Http2ClientTest, ContentAndTrailersBothWays) {
  Start();
  FedBody up;
  up.Feed("question");
  const auto stream = Ask(RequestHead("POST"), &up);
  EXPECT_EQ(Hear().size(), 2u);
  Driven uploading(loop_, stream->Upload(up));
  Say(Headers(1, kOk, kEndHeaders) + Data(1, "answer"));  // before the request has ended
  EXPECT_EQ(ReadHead(*stream)->status, 200);
  const std::unique_ptr<Body> body = stream->ResponseBody();
  EXPECT_EQ(Driven(loop_, body->Read()).Finish().bytes, "answer");
  up.Feed("more");
  up.AddTrailer("X-Sum", "1");
  up.End();
  EXPECT_EQ(uploading.Finish().kind, UploadEnd::kComplete);
  EXPECT_EQ(Heard(), "DATA 1 (4)\nHEADERS 1 END_STREAM x-sum=1\n");
  Say(Headers(1, {{"grpc-status", "0"}}));
  EXPECT_EQ(Driven(loop_, body->Read()).Finish().kind, Chunk::kEnd);
  EXPECT_EQ(body->trailers()->fields()[0].second, "0");
}

TEST_F(Http2ClientTest, NoContentIsNoBody) {
  Start();
  Head head = RequestHead("HEAD");
  auto stream = Ask(head);
  Say(Headers(1, {{":status", "200"}, {"content-length", "5"}}));
  EXPECT_EQ(ReadHead(*stream)->status, 200);
  EXPECT_EQ(stream->ResponseBody(), nullptr);
  stream = Ask();
  Say(Headers(3, {{":status", "204"}}));
  EXPECT_EQ(ReadHead(*stream)->status, 204);
  EXPECT_EQ(stream->ResponseBody(), nullptr);
}

TEST_F(Http2ClientTest, OpensNoMoreThanTheServerAllows) {
  Start({{kMaxConcurrentStreams, 2}});
  auto a = Ask(), b = Ask();
  EXPECT_FALSE(client_->CanOpen());
  client_->room().Close();
  Say(Headers(1, kOk));
  EXPECT_TRUE(ReadHead(*a));
  EXPECT_FALSE(client_->CanOpen());  // still held
  a.reset();
  EXPECT_TRUE(client_->room().open());
  EXPECT_TRUE(client_->CanOpen());
  Say(Settings({{kMaxConcurrentStreams, 0}}));
  EXPECT_FALSE(client_->CanOpen());
  Say(Settings({{kMaxConcurrentStreams, 10}}));
  EXPECT_TRUE(client_->CanOpen());
}

TEST_F(Http2ClientTest, F14_WhatGoawaySaysWasNotProcessedMayBeSentAgain) {
  Start();
  const auto a = Ask(), b = Ask();
  Say(Goaway(1, 0));
  EXPECT_FALSE(client_->CanOpen());
  EXPECT_EQ(HeadFault(*b), Fault::kUpstreamRefused);
  EXPECT_TRUE(b->refused());
  Say(Headers(1, kOk));
  EXPECT_EQ(ReadHead(*a)->status, 200);
  EXPECT_FALSE(a->refused());
  EXPECT_EQ(running_->Finish(), Failure{});  // nothing is left on it
}

TEST_F(Http2ClientTest, ARefusedStreamMayBeSentAgainAndAResetOneNot) {
  Start();
  const auto a = Ask(), b = Ask();
  Say(h2::Reset(1, 7) + h2::Reset(3, 2));
  EXPECT_EQ(HeadFault(*a), Fault::kUpstreamRefused);
  EXPECT_TRUE(a->refused());
  EXPECT_EQ(HeadFault(*b), Fault::kUpstreamReset);
  EXPECT_FALSE(b->refused());
}

TEST_F(Http2ClientTest, AnEarlyAnswerStandsAndTheUploadStops) {
  Start();
  FedBody up;
  up.Feed("some");
  const auto stream = Ask(RequestHead("POST"), &up);
  Driven uploading(loop_, stream->Upload(up));
  Say(Headers(1, {{":status", "413"}}, kEndHeaders) + Data(1, "too much", kEndStream) + h2::Reset(1, 0));
  EXPECT_EQ(uploading.Finish().kind, UploadEnd::kOriginStoppedReading);
  EXPECT_EQ(ReadHead(*stream)->status, 413);
  const std::unique_ptr<Body> body = stream->ResponseBody();
  EXPECT_EQ(Driven(loop_, body->Read()).Finish().bytes, "too much");
  EXPECT_EQ(Driven(loop_, body->Read()).Finish().kind, Chunk::kEnd);
}

TEST_F(Http2ClientTest, ABodyThatBreaksOffFails) {
  Start();
  const auto stream = Ask();
  Say(Headers(1, kOk, kEndHeaders) + Data(1, "some"));
  EXPECT_TRUE(ReadHead(*stream));
  const std::unique_ptr<Body> body = stream->ResponseBody();
  EXPECT_EQ(Driven(loop_, body->Read()).Finish().bytes, "some");
  Say(h2::Reset(1, 2));
  EXPECT_EQ(Driven(loop_, body->Read()).Finish().why, (Failure{Side::kUpstream, Fault::kUpstreamReset}));
}

TEST_F(Http2ClientTest, LetGoItCancels) {
  Start();
  auto a = Ask(), b = Ask();
  Hear();
  a.reset();
  EXPECT_EQ(Heard(), "RST_STREAM 1 code 8\n");
  Say(Headers(3, kOk));
  b.reset();
  EXPECT_EQ(Heard(), "");
  EXPECT_EQ(client_->streams(), 0u);
  Say(Data(1, "late"));  // crossed the reset
  Ask();
}

TEST_F(Http2ClientTest, WhoSpeaksNoHttp2HasNotLookedAtAnything) {
  Open();
  const auto stream = Ask();
  Say("HTTP/1.1 400 Bad Request\r\n\r\n");
  EXPECT_EQ(HeadFault(*stream), Fault::kUpstreamHttp2);
  EXPECT_TRUE(stream->refused());
  Start();
  const auto other = Ask();
  Say(Data(1, "before a head"));
  EXPECT_EQ(HeadFault(*other), Fault::kUpstreamHttp2);
  EXPECT_FALSE(other->refused());
}

TEST_F(Http2ClientTest, F15_WhatAServerMayNotSend) {
  const auto verdict = [this](std::string_view frames) {
    Start();
    const auto stream = Ask();
    Say(frames);
    return HeadFault(*stream);
  };
  const auto answer = [&](const Fields& fields) { return verdict(Headers(1, fields)); };
  EXPECT_EQ(answer({{":status", "101"}}), Fault::kUpstreamMalformed);
  EXPECT_EQ(answer({{":status", "20"}}), Fault::kUpstreamMalformed);
  EXPECT_EQ(answer({{":status", "abc"}}), Fault::kUpstreamMalformed);
  EXPECT_EQ(answer({{"x", "y"}}), Fault::kUpstreamMalformed);
  EXPECT_EQ(answer({{":status", "200"}, {":path", "/"}}), Fault::kUpstreamMalformed);
  EXPECT_EQ(answer({{":status", "200"}, {"connection", "close"}}), Fault::kUpstreamMalformed);
  EXPECT_EQ(answer({{":status", "200"}, {"X", "y"}}), Fault::kUpstreamMalformed);
  EXPECT_EQ(answer({{":status", "200"}, {"x", "a\r\nb: c"}}), Fault::kUpstreamMalformed);
  EXPECT_EQ(answer({{":status", "200"}, {"content-length", "5"}}), Fault::kUpstreamMalformed);
  EXPECT_EQ(answer({{":status", "100"}}), Fault::kUpstreamMalformed);                              // with an end
  EXPECT_EQ(answer({{":status", "200"}, {"x", std::string(70000, 'y')}}), Fault::kUpstreamHttp2);  // frame too large
  EXPECT_EQ(verdict(Data(1, "before a head")), Fault::kUpstreamHttp2);
  EXPECT_EQ(verdict(Frame(kPushPromise, kEndHeaders, 1, Number(2, 4) + Block(Get()))), Fault::kUpstreamHttp2);
  EXPECT_EQ(verdict(Headers(2, kOk)), Fault::kUpstreamHttp2);
  EXPECT_EQ(verdict(Settings({{kEnablePush, 1}})), Fault::kUpstreamHttp2);
  EXPECT_EQ(verdict("HTTP/1.1 400 Bad Request\r\n\r\n"), Fault::kUpstreamHttp2);
  std::string hints;
  for (int i = 0; i < 17; ++i) hints += Headers(1, {{":status", "103"}}, kEndHeaders);
  Start();
  const auto stream = Ask();
  Say(hints);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(ReadHead(*stream)->status, 103);
  EXPECT_EQ(HeadFault(*stream), Fault::kUpstreamTooManyInterim);
}

TEST_F(Http2ClientTest, H17_AHeadAboveTheLimitIsAFault) {
  limits_.head_bytes = 1000;
  limits_.fields = 10;
  Start();
  auto stream = Ask();
  Say(Headers(1, {{":status", "200"}, {"x", std::string(1500, 'y')}}));
  EXPECT_EQ(HeadFault(*stream), Fault::kUpstreamHeaderTooLarge);
  stream = Ask();
  Fields many = kOk;
  for (int i = 0; i < 11; ++i) many.emplace_back("x", "");
  Say(Headers(3, many));
  EXPECT_EQ(HeadFault(*stream), Fault::kUpstreamHeaderTooLarge);
}

TEST_F(Http2ClientTest, TimesOut) {
  limits_.answer_ms = 1000;
  Start();
  const auto stream = Ask();
  Driven reading(loop_, stream->ReadHead());
  while (!reading.Settle() && loop_.SkipToTimer()) running_->Settle();
  EXPECT_EQ(reading.Finish().error().fault, Fault::kUpstreamTimeoutHeader);
  Open();  // a server that says nothing
  while (!running_->Settle() && loop_.SkipToTimer()) running_->Settle();
  EXPECT_EQ(running_->Finish().fault, Fault::kUpstreamTimeoutHeader);
}

TEST_F(Http2ClientTest, EndsOnceItHasBeenIdleForSoLong) {
  limits_.idle_ms = 2000;
  Start();
  auto stream = Ask();
  Say(Headers(1, kOk));
  EXPECT_TRUE(ReadHead(*stream));
  Wait(5000);
  EXPECT_FALSE(running_->Settle());  // somebody still holds the stream
  Hear();
  stream.reset();
  EXPECT_EQ(Heard(), "");
  Wait(1900);
  EXPECT_EQ(Heard(), "");
  Wait(500);
  EXPECT_NE(Heard().find("GOAWAY 0 code 0"), std::string::npos);
}

TEST_F(Http2ClientTest, ShutsDownWhenTheLastStreamHasEnded) {
  Start();
  auto stream = Ask();
  client_->ShutDown();
  EXPECT_FALSE(client_->CanOpen());
  Say(Headers(1, kOk));
  EXPECT_FALSE(running_->Settle());
  EXPECT_TRUE(ReadHead(*stream));
  stream.reset();
  EXPECT_NE(Heard().find("GOAWAY 0 code 0"), std::string::npos);
  server_->Finish();
  EXPECT_EQ(running_->Finish(), Failure{});
}

TEST_F(Http2ClientTest, ATunnelThroughAParent) {
  Start();
  auto stream = client_->Open();
  Head head;
  head.method = "CONNECT";
  head.form = TargetForm::kAuthority;
  head.authority = "b.example:443";
  EXPECT_FALSE(Driven(loop_, stream->SendHead(head, nullptr)).Finish());
  EXPECT_EQ(Heard(), "HEADERS 1 :method=CONNECT :authority=b.example:443\n");
  Say(Headers(1, kOk, kEndHeaders) + Data(1, "early"));
  EXPECT_EQ(ReadHead(*stream)->status, 200);
  std::unique_ptr<Stream> tunnel = stream->TakeTunnel();
  stream.reset();
  char block[100];
  EXPECT_EQ(tunnel->Read(block).bytes, 5u);
  EXPECT_EQ(tunnel->Write("hi"sv).bytes, 2u);
  EXPECT_TRUE(tunnel->Finish().end());
  EXPECT_EQ(Heard(), "DATA 1 (2) END_STREAM\n");
  Say(Data(1, "", kEndStream));
  EXPECT_TRUE(tunnel->Read(block).end());
}

TEST_F(Http2ClientTest, ExtendedConnectIsKnownFromTheServersSettings) {
  Open();
  EXPECT_FALSE(client_->ready());
  Say(Settings({{kEnableConnectProtocol, 1}}));
  EXPECT_TRUE(client_->ready());
  EXPECT_TRUE(client_->takes_extended_connect());
}

Head Extended() {
  Head head = RequestHead("CONNECT");
  head.protocol = "websocket";
  return head;
}
constexpr std::string_view kExtended =
    "HEADERS 1 :method=CONNECT :scheme=http :authority=a.example :path=/x :protocol=websocket\n";

TEST_F(Http2ClientTest, AnExtendedConnectIsATunnelWhoseBreakIsCancel) {
  Start({{kEnableConnectProtocol, 1}});
  auto stream = client_->Open();
  EXPECT_FALSE(Driven(loop_, stream->SendHead(Extended(), nullptr)).Finish());
  EXPECT_EQ(Heard(), kExtended);
  Say(Headers(1, kOk, kEndHeaders) + Data(1, "early"));
  EXPECT_EQ(ReadHead(*stream)->status, 200);
  const std::unique_ptr<Stream> tunnel = stream->TakeTunnel();
  char block[100];
  EXPECT_EQ(tunnel->Read(block).bytes, 5u);
  tunnel->Abort();
  EXPECT_EQ(Heard(), "RST_STREAM 1 code 8\n");
}

TEST_F(Http2ClientTest, AnExtendedConnectWaitsForTheServersSettings) {
  Open();
  const auto stream = client_->Open();
  const Head head = Extended();
  Driven sending(loop_, stream->SendHead(head, nullptr));
  EXPECT_FALSE(sending.Settle());
  Hear();
  Say(Settings({{kEnableConnectProtocol, 1}}) + SettingsAck());
  EXPECT_FALSE(sending.Finish());
  EXPECT_EQ(Heard(), kExtended);
}

TEST_F(Http2ClientTest, AnExtendedConnectIsNotSentToWhoDoesNotTakeIt) {
  Open();
  const auto stream = client_->Open();
  const Head head = Extended();
  Driven sending(loop_, stream->SendHead(head, nullptr));
  Hear();
  Say(Settings() + SettingsAck());
  EXPECT_EQ(sending.Finish().fault, Fault::kUpstreamBadUpgrade);
  EXPECT_FALSE(stream->request_written());
  EXPECT_EQ(Heard(), "");
}

TEST_F(Http2ClientTest, AnExtendedConnectEndsWithAConnectionThatNeverSaysAnything) {
  for (const bool ends : {true, false}) {
    limits_.preface_ms = 50;
    Open();
    const auto stream = client_->Open();
    const Head head = Extended();
    Driven sending(loop_, stream->SendHead(head, nullptr));
    EXPECT_FALSE(sending.Settle());
    if (ends) server_->Finish();
    EXPECT_EQ(sending.Finish().fault, ends ? Fault::kUpstreamClosed : Fault::kUpstreamTimeoutHeader);
  }
}

// ---- Both codecs

class BothTest : public testing::Test, public Http2ServerOwner {
 protected:
  BothTest() {
    std::tie(near_, far_) = PipeStream::Pair(10000);  // so that both ends have to wait
    client_ = std::make_unique<Http2Client>(*near_, limits_, hits_);
    server_ = std::make_unique<Http2Server>(*far_, limits_, *this);
    client_run_.emplace(loop_, client_->Run());
    server_run_.emplace(loop_, server_->Run());
  }
  ~BothTest() override {
    echoes_.Clear();
    client_run_.reset();
    server_run_.reset();
  }
  // Gives the content back with a trailer that says how much it was.
  static Task<void> Echo(std::unique_ptr<Http2ServerStream> stream) {
    const egret::Request request = stream->TakeRequest();
    Head head;
    head.status = 200;
    if (request.head.method == "CONNECT") {
      co_await stream->Respond(head, nullptr);
      const std::unique_ptr<Stream> tunnel = stream->TakeTunnel();
      char block[5000];
      for (;;) {
        const Io io = tunnel->Read(block);
        if (io.again()) {
          co_await tunnel->Readable();
        } else if (io.kind == Io::kBytes) {
          std::string_view left(block, io.bytes);
          while (!left.empty()) {
            const Io out = tunnel->Write(left);
            if (out.failed()) co_return;
            if (out.again()) co_await tunnel->Writable();
            left.remove_prefix(out.bytes);
          }
        } else {
          tunnel->Finish();
          co_return;
        }
      }
    }
    co_await stream->Respond(head, request.body.get());
  }
  void OnRequest(std::unique_ptr<Http2ServerStream> stream) override { echoes_.Start(Echo(std::move(stream))); }
  void OnLimit(Http2Limit) override {}
  void OnMalformed() override {}

  static Task<bool> Exchange(Http2Client& client, size_t bytes, char what) {
    const auto stream = client.Open();
    const std::unique_ptr<Body> up = MakeBody(std::string(bytes, what));
    const Head head = RequestHead("POST");
    if (co_await stream->SendHead(head, up.get(), true)) co_return false;
    Nursery nursery;
    nursery.Start(Upload(*stream, *up));
    const Result<Head, Failure> answer = co_await stream->ReadHead();
    if (!answer || answer->status != 200) co_return false;
    const std::unique_ptr<Body> body = stream->ResponseBody();
    size_t got = 0;
    for (;;) {
      const Chunk chunk = co_await body->Read();
      if (chunk.kind != Chunk::kBytes) co_return chunk.kind == Chunk::kEnd&& got == bytes;
      if (chunk.bytes.find_first_not_of(what) != std::string_view::npos) co_return false;
      got += chunk.bytes.size();
    }
  }
  static Task<void> Upload(Http2ClientStream& stream, Body& body) { co_await stream.Upload(body); }

  Loop loop_;
  Http2Limits limits_;
  Http2LimitHits hits_;
  std::unique_ptr<PipeStream> near_, far_;
  std::unique_ptr<Http2Client> client_;
  std::unique_ptr<Http2Server> server_;
  Nursery echoes_;
  std::optional<Driven<Failure>> client_run_, server_run_;
};

TEST_F(BothTest, ManyExchangesSideBySide) {
  constexpr size_t kMany = 50;
  std::vector<std::unique_ptr<Driven<bool>>> tasks;
  tasks.reserve(kMany);
  for (size_t i = 0; i < kMany; ++i) {
    tasks.push_back(
        std::make_unique<Driven<bool>>(loop_, Exchange(*client_, 1 + i * i * 150, static_cast<char>('A' + i))));
  }
  for (auto& task : tasks) EXPECT_TRUE(task->Finish());
  EXPECT_EQ(client_->streams(), 0u);
  while (loop_.Turn(0)) {
  }
  EXPECT_EQ(server_->streams(), 0u);
  server_->ShutDown();
  while (!server_run_->Settle()) loop_.SkipToTimer();
  EXPECT_EQ(client_run_->Finish(), Failure{});
}

TEST_F(BothTest, AnyOfThemMayBeDestroyedAtAnyTurn) {
  for (int turns = 0; turns < 60; ++turns) {
    {
      Driven cancelled(loop_, Exchange(*client_, 100000, 'x'));
      Driven other(loop_, Exchange(*client_, 50000, 'y'));
      for (int i = 0; i < turns; ++i) loop_.Turn(0);
      {
        const Driven<bool> gone = Driven<bool>(loop_, Exchange(*client_, 1, 'z'));
      }
      EXPECT_TRUE(other.Finish());
    }
    EXPECT_TRUE(Driven(loop_, Exchange(*client_, 1000, 'w')).Finish());
  }
  while (loop_.Turn(0)) {
  }
  EXPECT_EQ(client_->streams(), 0u);
  EXPECT_EQ(server_->streams(), 0u);
}

TEST_F(BothTest, TheConnectionMayBreakAtAnyTurn) {
  // One run for each place; the fixture makes the first one.
  for (int turns = 0; turns < 40; ++turns) {
    auto [a, b] = PipeStream::Pair(5000);
    Http2LimitHits hits;
    Http2Client client(*a, limits_, hits);
    Http2Server server(*b, limits_, *this);
    Driven client_run(loop_, client.Run());
    Driven server_run(loop_, server.Run());
    Driven exchange(loop_, Exchange(client, 30000, 'x'));
    for (int i = 0; i < turns; ++i) loop_.Turn(0);
    if (turns % 2 == 0) {
      a->Reset();
      b->Reset();
    } else {
      b->Finish();
      a->Finish();
    }
    exchange.Finish();
    client_run.Finish();
    server_run.Finish();
    while (loop_.Turn(0)) {
    }
    EXPECT_TRUE(echoes_.empty());
  }
}

}  // namespace
}  // namespace egret
