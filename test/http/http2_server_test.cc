// The server codec on a pipe, against frames: exchanges side by side, flow control, ends and resets.
#include "source/http/http2_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/failure.h"
#include "source/base/frame_pool.h"
#include "source/base/strings.h"
#include "source/event/loop.h"
#include "test/http/codec_peer.h"
#include "test/http/http2_bench.h"
#include "test/support/http2_frames.h"

namespace egret {
namespace {

using namespace std::string_view_literals;

class Http2ServerTest : public Http2Bench {
 protected:
  // Opens stream `id` and gives its request.
  Request Ask(uint32_t id, const h2::Fields& fields = h2::Get(), uint8_t flags = h2::kEndHeaders | h2::kEndStream) {
    Say(h2::Headers(id, fields, flags));
    if (streams_.empty() || streams_.back()->id() != static_cast<int32_t>(id)) {
      ADD_FAILURE() << "no request on " << id;
      return {Head(), nullptr, false};
    }
    return streams_.back()->TakeRequest();
  }
  Failure Respond(Http2ServerStream& stream, const Head& head, Body* body = nullptr) {
    return Driven(loop_, stream.Respond(head, body)).Finish();
  }
};

TEST_F(Http2ServerTest, SaysItsSettingsWithTheLimitsThatHold) {
  limits_.streams = 7;
  Open();
  const std::vector<h2::Got> frames = Hear(true);
  ASSERT_EQ(frames[0].type, h2::kSettings);
  EXPECT_NE(frames[0].payload.find(h2::Number(h2::kMaxConcurrentStreams, 2) + h2::Number(7, 4)), std::string::npos);
  EXPECT_NE(frames[0].payload.find(h2::Number(h2::kInitialWindowSize, 2) + h2::Number(limits_.stream_window, 4)),
            std::string::npos);
  ASSERT_EQ(frames[1].type, h2::kWindowUpdate);
  EXPECT_EQ(frames[1].stream, 0u);
}

TEST_F(Http2ServerTest, AnExchangeCostsOneReadAndOneWrite) {
  Connect();
  for (uint32_t id = 1; id < 7; id += 2) {
    counted_->reads = counted_->writes = 0;
    serve_ = nullptr;
    client_->Write(h2::Headers(id, h2::Get("/x")));
    while (streams_.empty()) loop_.Turn(0);
    Request request = streams_.back()->TakeRequest();
    EXPECT_EQ(request.head.method, "GET");
    EXPECT_EQ(request.head.form, TargetForm::kAbsolute);
    EXPECT_EQ(request.head.scheme, "http");
    EXPECT_EQ(request.head.authority, "a.example");
    EXPECT_EQ(request.head.path, "/x");
    EXPECT_EQ(request.head.version, Version::kHttp2);
    EXPECT_EQ(request.body, nullptr);
    const std::unique_ptr<Body> body = MakeBody("hi");
    EXPECT_FALSE(Respond(*streams_.back(), Status(200), body.get()));
    streams_.clear();
    EXPECT_EQ(Heard(), Cat("HEADERS ", id, " :status=200 content-length=2\nDATA ", id, " (2) END_STREAM\n"));
    EXPECT_EQ(counted_->writes, 1);
    EXPECT_LE(counted_->reads, 2);
  }
}

TEST_F(Http2ServerTest, FramesOfATurnLeaveInOneWrite) {
  Connect();
  serve_ = [this](std::unique_ptr<Http2ServerStream> stream) { streams_.push_back(std::move(stream)); };
  std::string all;
  for (uint32_t id = 1; id < 40; id += 2) all += h2::Headers(id, h2::Get());
  counted_->reads = counted_->writes = 0;
  Say(all);
  ASSERT_EQ(streams_.size(), 20u);
  const std::unique_ptr<Body> body = MakeBody("hi");
  std::vector<std::unique_ptr<Body>> bodies;
  std::vector<std::unique_ptr<Driven<Failure>>> tasks;
  counted_->writes = 0;
  for (auto& stream : streams_) {
    stream->TakeRequest();
    bodies.push_back(MakeBody("hi"));
    tasks.push_back(std::make_unique<Driven<Failure>>(loop_, stream->Respond(Status(200), bodies.back().get())));
  }
  Settle();
  EXPECT_EQ(Hear().size(), 40u);
  EXPECT_EQ(counted_->writes, 1);
  for (auto& task : tasks) EXPECT_FALSE(task->Finish());
}

TEST_F(Http2ServerTest, CookieCrumbsAreJoinedAndAuthorityStandsForHost) {
  Connect();
  const Request request = Ask(1, h2::Get("/", {{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c=3"}}));
  EXPECT_EQ(request.head.Find("Cookie")->value, "a=1; b=2; c=3");
  EXPECT_EQ(request.head.Count(FieldName::kCookie), 1u);
  EXPECT_EQ(request.head.Find(FieldName::kHost)->value, "a.example");
}

TEST_F(Http2ServerTest, HostStandsForAMissingAuthority) {
  Connect();
  const Request request = Ask(1, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "b.example"}});
  EXPECT_EQ(request.head.authority, "b.example");
}

TEST_F(Http2ServerTest, ABodyIsPulledWithItsTrailers) {
  Connect();
  Request request = Ask(1, h2::Post("/", {{"content-length", "10"}}), h2::kEndHeaders);
  ASSERT_NE(request.body, nullptr);
  EXPECT_EQ(request.body->Length(), 10u);
  EXPECT_FALSE(request.body->Ready());
  Driven first(loop_, request.body->Read());
  EXPECT_FALSE(first.Settle());
  Say(h2::Data(1, "hello"));
  EXPECT_EQ(first.Finish().bytes, "hello");
  Say(h2::Data(1, "world") + h2::Headers(1, {{"grpc-status", "0"}, {"authorization", "me"}, {"content-type", "x"}}));
  EXPECT_EQ(Driven(loop_, request.body->Read()).Finish().bytes, "world");
  EXPECT_EQ(Driven(loop_, request.body->Read()).Finish().kind, Chunk::kEnd);
  ASSERT_NE(request.body->trailers(), nullptr);
  ASSERT_EQ(request.body->trailers()->fields().size(), 1u);
  EXPECT_EQ(request.body->trailers()->fields()[0].first, "grpc-status");
  EXPECT_TRUE(streams_[0]->request_complete());
}

TEST_F(Http2ServerTest, TrailersAndThirtyThousandBytesAtOncePassAWindowOfOneByte) {
  Connect({{h2::kInitialWindowSize, 1}});
  Ask(1);
  FedBody body;
  std::string content;
  for (int i = 0; i < 30000; ++i) content.push_back(static_cast<char>('a' + i % 26));
  body.Feed(content);
  body.AddTrailer("Grpc-Status", "0");
  body.End();
  Driven responding(loop_, streams_[0]->Respond(Status(200), &body));
  std::string heard;
  std::vector<h2::Got> frames;
  const auto hear = [&] {
    for (h2::Got& got : Hear()) {
      if (got.type == h2::kData) heard += got.payload;
      frames.push_back(std::move(got));
    }
  };
  for (int i = 0; i < 40000 && !responding.Settle(); ++i) {
    hear();
    Say(h2::WindowUpdate(1, 1));
  }
  EXPECT_FALSE(responding.Finish());
  hear();
  EXPECT_TRUE(heard == content) << heard.size();
  EXPECT_EQ(frames.back().type, h2::kHeaders);
  EXPECT_TRUE(frames.back().end_stream());
  EXPECT_EQ(frames.back().Field("grpc-status"), "0");
}

TEST_F(Http2ServerTest, OneWindowIsTiedToWhatItsReaderTook) {
  limits_.stream_window = 65535;
  Connect();
  Request slow = Ask(1, h2::Post(), h2::kEndHeaders);
  Request fast = Ask(3, h2::Post(), h2::kEndHeaders);
  Hear();
  // The slow one's window is filled and stays so; the connection's is renewed for the other.
  for (int i = 0; i < 3; ++i) Say(h2::Data(1, std::string(16384, 's')));
  Say(h2::Data(1, std::string(65535 - 3 * 16384, 's')));
  size_t renewed = 0;
  for (int i = 0; i < 100; ++i) {
    Say(h2::Data(3, std::string(16384, 'f')));
    for (size_t got = 0; got < 16384;) got += Driven(loop_, fast.body->Read()).Finish().bytes.size();
    for (const h2::Got& got : Hear(true)) {
      if (got.type != h2::kWindowUpdate) continue;
      EXPECT_NE(got.stream, 1u);
      if (got.stream == 0) ++renewed;
    }
  }
  EXPECT_GT(renewed, 1u);
  // Taken is taken when the next is asked for.
  size_t taken = 0;
  bool credited = false;
  while (taken < 65535) {
    taken += Driven(loop_, slow.body->Read()).Finish().bytes.size();
    for (const h2::Got& got : Hear(true)) credited = credited || (got.type == h2::kWindowUpdate && got.stream == 1);
  }
  EXPECT_TRUE(credited);
  EXPECT_FALSE(ended());
}

TEST_F(Http2ServerTest, TheConnectionsWindowIsWithheldWhereAllReadersAreFarBehind) {
  limits_.inbox_bytes = 100000;
  limits_.connection_window = 200000;
  Connect();
  std::vector<Request> requests;
  for (uint32_t id = 1; id < 9; id += 2) requests.push_back(Ask(id, h2::Post(), h2::kEndHeaders));
  Hear();
  size_t sent = 0, window = 200000;
  for (int i = 0; i < 60; ++i) {
    if (window < 10000) break;
    Say(h2::Data(static_cast<uint32_t>(1 + 2 * (i % 4)), std::string(10000, 'x')));
    sent += 10000;
    window -= 10000;
    for (const h2::Got& got : Hear(true))
      if (got.type == h2::kWindowUpdate && got.stream == 0) window += h2::NumberAt(got.payload, 0, 4);
  }
  EXPECT_LE(sent, 310000u);  // what is held and what was in flight
  EXPECT_GE(sent, 200000u);
  // Once they read, it is renewed.
  size_t taken = 0;
  for (Request& request : requests)
    while (request.body->Ready()) taken += Driven(loop_, request.body->Read()).Finish().bytes.size();
  bool renewed = false;
  for (const h2::Got& got : Hear(true)) renewed = renewed || (got.type == h2::kWindowUpdate && got.stream == 0);
  EXPECT_TRUE(renewed);
  EXPECT_EQ(taken, sent);
}

TEST_F(Http2ServerTest, WhatAClosingStreamNeverTookIsCredited) {
  limits_.inbox_bytes = 50000;
  limits_.connection_window = 100000;
  Connect();
  for (uint32_t id = 1; id < 40; id += 2) {
    Ask(id, h2::Post(), h2::kEndHeaders);
    for (int i = 0; i < 4; ++i) Say(h2::Data(id, std::string(16000, 'x')));
    Say(h2::Reset(id, 8));
    streams_.clear();
    ASSERT_FALSE(ended()) << id << Heard();
    Hear();
  }
}

TEST_F(Http2ServerTest, ASlowReaderDoesNotStopItsSiblings) {
  Connect({{h2::kInitialWindowSize, 1000}});
  Ask(1);
  Ask(3);
  const std::string much(500000, 'x');
  const std::unique_ptr<Body> slow = MakeBody(much), quick = MakeBody("done");
  Driven stalled(loop_, streams_[0]->Respond(Status(200), slow.get()));
  EXPECT_FALSE(Respond(*streams_[1], Status(200), quick.get()));
  EXPECT_FALSE(stalled.Settle());
  size_t of_slow = 0, of_quick = 0;
  for (const h2::Got& got : Hear())
    if (got.type == h2::kData) (got.stream == 1 ? of_slow : of_quick) += got.payload.size();
  EXPECT_EQ(of_slow, 1000u);
  EXPECT_EQ(of_quick, 4u);
}

TEST_F(Http2ServerTest, StreamsTakeTurns) {
  Connect({{h2::kInitialWindowSize, 1 << 20}});
  Say(h2::WindowUpdate(0, 1 << 24));
  Ask(1);
  Ask(3);
  const std::unique_ptr<Body> a = MakeBody(std::string(65536, 'a')), b = MakeBody(std::string(65536, 'b'));
  Driven first(loop_, streams_[0]->Respond(Status(200), a.get()));
  Driven second(loop_, streams_[1]->Respond(Status(200), b.get()));
  std::string order;
  for (const h2::Got& got : Hear())
    if (got.type == h2::kData) order += std::to_string(got.stream);
  EXPECT_EQ(order, "13131313");
}

TEST_F(Http2ServerTest, AFailedBodyResetsTheStreamOrLeavesRoomForAnotherAnswer) {
  Connect();
  Ask(1);
  FedBody early;
  early.Fail({Side::kUpstream, Fault::kUpstreamReset});
  EXPECT_EQ(Respond(*streams_[0], Status(200), &early).fault, Fault::kUpstreamReset);
  EXPECT_FALSE(streams_[0]->responded_head());
  EXPECT_FALSE(Respond(*streams_[0], Status(502)));
  EXPECT_EQ(Heard(), "HEADERS 1 END_STREAM :status=502 content-length=0\n");

  Ask(3);
  FedBody late;
  late.Feed("some");
  Driven responding(loop_, streams_[1]->Respond(Status(200), &late));
  EXPECT_EQ(Heard(), "HEADERS 3 :status=200\nDATA 3 (4)\n");
  late.Fail({Side::kUpstream, Fault::kUpstreamReset});
  EXPECT_EQ(responding.Finish().fault, Fault::kUpstreamReset);
  streams_.clear();
  EXPECT_EQ(Heard(), "RST_STREAM 3 code 2\n");
}

TEST_F(Http2ServerTest, ContentThatIsNotAsLongAsSaidIsNeverEnded) {
  Connect();
  Ask(1);
  FedBody body(10);
  body.Feed("short");
  body.End();
  EXPECT_EQ(Respond(*streams_[0], Status(200), &body).fault, Fault::kInternal);
  streams_.clear();
  const std::vector<h2::Got> frames = Hear();
  EXPECT_EQ(frames.back().type, h2::kRstStream);
}

TEST_F(Http2ServerTest, AResponseBeforeTheRequestsEndIsCompleteAndThenAsksToStop) {
  Connect();
  const Request request = Ask(1, h2::Post(), h2::kEndHeaders);
  const std::unique_ptr<Body> body = MakeBody("too much");
  EXPECT_FALSE(Respond(*streams_[0], Status(413), body.get()));
  streams_.clear();
  EXPECT_EQ(Heard(), "HEADERS 1 :status=413 content-length=8\nDATA 1 (8) END_STREAM\nRST_STREAM 1 code 0\n");
  // What crosses it on its way hurts nobody.
  Say(h2::Data(1, "rest", h2::kEndStream));
  Ask(3);
  EXPECT_FALSE(Respond(*streams_[0], Status(200)));
  EXPECT_EQ(Heard(), "HEADERS 3 END_STREAM :status=200 content-length=0\n");
}

TEST_F(Http2ServerTest, AResponseThatWaitsForWindowIsDeliveredAfterItsTaskLetGo) {
  Connect({{h2::kInitialWindowSize, 10}});
  const Request request = Ask(1, h2::Post(), h2::kEndHeaders);
  FedBody body;
  body.Feed(std::string(25, 'x'));
  body.End();
  Driven<Failure>* responding = new Driven<Failure>(loop_, streams_[0]->Respond(Status(200), &body));
  Settle();
  delete responding;  // all is put; only the window is missing
  streams_.clear();
  EXPECT_EQ(Heard(), "HEADERS 1 :status=200\nDATA 1 (10)\n");
  Say(h2::WindowUpdate(1, 100));
  EXPECT_EQ(Heard(), "DATA 1 (15) END_STREAM\nRST_STREAM 1 code 0\n");
  EXPECT_EQ(server_->streams(), 0u);
}

TEST_F(Http2ServerTest, HeadAnd304MayTellALengthAnd204MayNot) {
  Connect();
  h2::Fields head = h2::Get();
  head[0].second = "HEAD";
  Ask(1, head);
  const std::unique_ptr<Body> body = MakeBody("hello");
  EXPECT_FALSE(Respond(*streams_[0], Status(200), body.get()));
  Ask(3);
  Head not_modified = Status(304);
  not_modified.Add("Content-Length", "77");
  EXPECT_FALSE(Respond(*streams_[1], not_modified));
  Ask(5);
  Head none = Status(204);
  none.Add("Content-Length", "77");
  EXPECT_FALSE(Respond(*streams_[2], none));
  EXPECT_EQ(Heard(),
            "HEADERS 1 END_STREAM :status=200 content-length=5\n"
            "HEADERS 3 END_STREAM :status=304 content-length=77\n"
            "HEADERS 5 END_STREAM :status=204\n");
}

TEST_F(Http2ServerTest, WhatIsOfTheConnectionIsLeftOutOfAResponse) {
  Connect();
  Ask(1);
  Head head = Status(200);
  for (const auto& [name, value] : h2::Fields{{"Connection", "close"},
                                              {"Keep-Alive", "1"},
                                              {"Upgrade", "x"},
                                              {"Transfer-Encoding", "chunked"},
                                              {"X-Kept", "Yes"}})
    head.Add(name, value);
  EXPECT_FALSE(Respond(*streams_[0], head));
  EXPECT_EQ(Heard(), "HEADERS 1 END_STREAM :status=200 content-length=0 x-kept=Yes\n");
  Ask(3);
  Head bad = Status(200);
  bad.Add("X", "a\r\nb: c");
  EXPECT_EQ(Respond(*streams_[1], bad).fault, Fault::kInternal);
}

TEST_F(Http2ServerTest, InterimResponsesComeBeforeTheFinalOne) {
  Connect();
  Request request = Ask(1, h2::Post("/", {{"expect", "100-continue"}}), h2::kEndHeaders);
  EXPECT_TRUE(request.expects_continue);
  EXPECT_FALSE(Driven(loop_, streams_[0]->Inform(Status(100))).Finish());
  Head hints = Status(103);
  hints.Add("Link", "</x>");
  EXPECT_FALSE(Driven(loop_, streams_[0]->Inform(hints)).Finish());
  EXPECT_FALSE(Respond(*streams_[0], Status(200)));
  EXPECT_FALSE(Driven(loop_, streams_[0]->Inform(hints)).Finish());  // too late: nothing
  streams_.clear();
  EXPECT_EQ(Heard(),
            "HEADERS 1 :status=100\nHEADERS 1 :status=103 link=</x>\n"
            "HEADERS 1 END_STREAM :status=200 content-length=0\nRST_STREAM 1 code 0\n");
}

TEST_F(Http2ServerTest, AResetOpensGoneAndVoidsTheBody) {
  Connect();
  Request request = Ask(1, h2::Post(), h2::kEndHeaders);
  Say(h2::Data(1, "some"));
  EXPECT_FALSE(streams_[0]->GoneGate().open());
  Say(h2::Reset(1, 8));
  EXPECT_TRUE(streams_[0]->GoneGate().open());
  EXPECT_EQ(Driven(loop_, request.body->Read()).Finish().why, (Failure{Side::kClient, Fault::kClientGone}));
  EXPECT_EQ(Respond(*streams_[0], Status(200)).fault, Fault::kClientGone);
  streams_.clear();
  EXPECT_EQ(Heard(), "");
  EXPECT_EQ(server_->streams(), 0u);
}

TEST_F(Http2ServerTest, ALostConnectionIsEveryStreamsEnd) {
  Connect();
  Request one = Ask(1, h2::Post(), h2::kEndHeaders);
  Ask(3);
  Driven reading(loop_, one.body->Read());
  client_->Reset();
  EXPECT_EQ(End(), (Failure{Side::kClient, Fault::kClientGone}));
  EXPECT_EQ(reading.Finish().why.fault, Fault::kClientGone);
  EXPECT_TRUE(streams_[1]->GoneGate().open());
  server_.reset();  // the streams outlive it
  EXPECT_EQ(Respond(*streams_[1], Status(200)).fault, Fault::kClientGone);
}

TEST_F(Http2ServerTest, AnEndBetweenExchangesIsNoFault) {
  Connect();
  Ask(1);
  EXPECT_FALSE(Respond(*streams_[0], Status(200)));
  streams_.clear();
  client_->Finish();
  EXPECT_EQ(End(), Failure{});
}

// ---- CONNECT

class Http2TunnelTest : public Http2ServerTest {
 protected:
  std::unique_ptr<Stream> OpenTunnel(uint32_t id) {
    const Request request = Ask(id, h2::Connect("a.example:443"), h2::kEndHeaders);
    EXPECT_EQ(request.head.form, TargetForm::kAuthority);
    EXPECT_EQ(request.head.authority, "a.example:443");
    EXPECT_EQ(request.body, nullptr);
    EXPECT_FALSE(Respond(*streams_.back(), Status(200)));
    std::unique_ptr<Stream> tunnel = streams_.back()->TakeTunnel();
    streams_.pop_back();
    EXPECT_EQ(Heard(), Cat("HEADERS ", id, " :status=200\n"));
    return tunnel;
  }
  std::string ReadAll(Stream& tunnel) {
    std::string all;
    char block[1000];
    for (Io io = tunnel.Read(block); io.kind == Io::kBytes; io = tunnel.Read(block)) all.append(block, io.bytes);
    return all;
  }
};

TEST_F(Http2TunnelTest, CarriesBytesBothWaysAndEndsByHalves) {
  Connect();
  const std::unique_ptr<Stream> tunnel = OpenTunnel(1);
  char block[10];
  EXPECT_TRUE(tunnel->Read(block).again());
  EXPECT_FALSE(tunnel->ReadGate().open());
  Say(h2::Data(1, "ping"));
  EXPECT_TRUE(tunnel->ReadGate().open());
  EXPECT_EQ(ReadAll(*tunnel), "ping");
  EXPECT_EQ(tunnel->Write("pong"sv).bytes, 4u);
  EXPECT_EQ(Heard(), "DATA 1 (4)\n");
  Say(h2::Data(1, "last", h2::kEndStream));
  EXPECT_TRUE(tunnel->PeerDoneGate().open());
  EXPECT_FALSE(tunnel->GoneGate().open());
  EXPECT_EQ(ReadAll(*tunnel), "last");
  EXPECT_TRUE(tunnel->Read(block).end());
  EXPECT_EQ(tunnel->Write("more"sv).bytes, 4u);
  EXPECT_TRUE(tunnel->Finish().end());
  EXPECT_EQ(Heard(), "DATA 1 (4) END_STREAM\n");
  EXPECT_TRUE(tunnel->Write("late"sv).failed());
}

TEST_F(Http2TunnelTest, AWriterIsHeldAtTheOutboxsBoundAndLetOnAgain) {
  Connect({{h2::kInitialWindowSize, 100}});
  const std::unique_ptr<Stream> tunnel = OpenTunnel(1);
  size_t put = 0;
  for (Io io = tunnel->Write(std::string(10000, 'x')); io.kind == Io::kBytes;
       io = tunnel->Write(std::string(10000, 'x')))
    put += io.bytes;
  EXPECT_EQ(put, limits_.outbox_bytes);
  EXPECT_FALSE(tunnel->WriteGate().open());
  EXPECT_EQ(Heard(), "DATA 1 (100)\n");
  EXPECT_FALSE(tunnel->WriteGate().open());
  Say(h2::WindowUpdate(1, 60000));
  EXPECT_TRUE(tunnel->WriteGate().open());
}

TEST_F(Http2TunnelTest, AResetIsAResetAndTouchesNoSibling) {
  Connect();
  const std::unique_ptr<Stream> a = OpenTunnel(1);
  std::unique_ptr<Stream> b = OpenTunnel(3);
  const std::unique_ptr<Stream> c = OpenTunnel(5);
  Say(h2::Data(1, "unread") + h2::Reset(1, 10));
  char block[10];
  EXPECT_EQ(a->Read(block).error, ECONNRESET);
  EXPECT_TRUE(a->Write("x"sv).failed());
  EXPECT_TRUE(a->GoneGate().open());
  b->Abort();
  EXPECT_EQ(Heard(), "RST_STREAM 3 code 10\n");
  b.reset();
  Say(h2::Data(5, "still here"));
  EXPECT_EQ(ReadAll(*c), "still here");
  client_->Reset();
  End();
  EXPECT_EQ(c->Read(block).error, ECONNRESET);
  EXPECT_TRUE(c->Write("x"sv).failed());
  EXPECT_TRUE(c->Finish().failed());
}

TEST_F(Http2TunnelTest, LetGoItFinishesOrResets) {
  Connect();
  std::unique_ptr<Stream> quiet = OpenTunnel(1), unread = OpenTunnel(3);
  EXPECT_EQ(quiet->Write("bye"sv).bytes, 3u);
  quiet.reset();
  EXPECT_EQ(Heard(), "DATA 1 (3) END_STREAM\nRST_STREAM 1 code 0\n");
  Say(h2::Data(3, "unread"));
  unread.reset();
  EXPECT_EQ(Heard(), "RST_STREAM 3 code 10\n");
  EXPECT_EQ(server_->streams(), 0u);
}

TEST_F(Http2TunnelTest, AFieldSectionInsideATunnelIsAnErrorOfTheStream) {
  Connect();
  const std::unique_ptr<Stream> tunnel = OpenTunnel(1);
  Say(h2::Headers(1, {{"x", "y"}}));
  EXPECT_EQ(Heard(), "RST_STREAM 1 code 1\n");
  EXPECT_TRUE(tunnel->GoneGate().open());
  const std::unique_ptr<Stream> next = OpenTunnel(3);
}

// ---- Graceful ends

TEST_F(Http2ServerTest, ShutsDownInTwoStepsAndServesWhatWasOpenedBetweenThem) {
  Connect();
  Ask(1);
  server_->ShutDown();
  std::vector<h2::Got> frames = Hear();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].payload.substr(0, 4), h2::Number(0x7fffffff, 4));
  EXPECT_EQ(frames[0].code(), 0u);
  Ask(3);  // had not heard of it
  while (loop_.SkipToTimer() && Heard().empty()) Settle();
  Say(h2::Headers(5, h2::Get()));  // came too late
  ASSERT_EQ(streams_.size(), 2u);
  EXPECT_FALSE(ended());
  for (auto& stream : streams_) EXPECT_FALSE(Respond(*stream, Status(200)));
  streams_.clear();
  client_->Finish();
  EXPECT_EQ(End(), Failure{});
}

TEST_F(Http2ServerTest, EachTimeLimitEndsWhatItIsFor) {
  const auto skip = [this] {
    std::string heard;
    for (int i = 0; i < 1000 && !ended() && loop_.SkipToTimer(); ++i) heard += Heard();
    return heard + Heard();
  };
  Open();  // no preface
  EXPECT_NE(skip().find("GOAWAY 0 code 4"), std::string::npos);
  EXPECT_EQ(End().fault, Fault::kClientTimeoutHeader);

  Connect();
  EXPECT_NE(skip().find("GOAWAY 0 code 0"), std::string::npos);
  EXPECT_EQ(End().fault, Fault::kIdleTimeout);

  limits_.idle_ms = 0;
  Connect();
  Say(h2::Frame(h2::kHeaders, 0, 1, h2::Block(h2::Get())));  // and never the rest
  EXPECT_NE(skip().find("GOAWAY 0 code 11"), std::string::npos);
  EXPECT_EQ(End().fault, Fault::kClientTimeoutHeader);

  Open();
  Say(Cat(h2::kPreface, h2::Settings()));  // ours are not confirmed
  EXPECT_NE(skip().find("GOAWAY 0 code 4"), std::string::npos);

  limits_.max_age_ms = 1000;
  Connect();
  EXPECT_NE(skip().find("GOAWAY 0 code 0"), std::string::npos);
  client_->Finish();
  EXPECT_EQ(End(), Failure{});
  limits_.max_age_ms = 0;

  Connect({{h2::kInitialWindowSize, 0}});
  Ask(1);
  const std::unique_ptr<Body> body = MakeBody("never taken");
  Driven responding(loop_, streams_[0]->Respond(Status(200), body.get()));
  for (int i = 0; i < 1000 && !responding.Settle() && loop_.SkipToTimer(); ++i) Settle();
  EXPECT_EQ(responding.Finish().fault, Fault::kClientTimeoutWrite);
  EXPECT_NE(Heard().find("RST_STREAM 1 code 8"), std::string::npos);
  EXPECT_EQ(hits(Http2Limit::kStalledStream), 1);
  EXPECT_FALSE(ended());
}

TEST_F(Http2ServerTest, AConnectionOfWhichNothingIsTakenEnds) {
  Connect({{h2::kInitialWindowSize, 1 << 20}}, 20000);
  Say(h2::WindowUpdate(0, 1 << 24));
  Ask(1);
  const std::unique_ptr<Body> body = MakeBody(std::string(300000, 'x'));
  Driven responding(loop_, streams_[0]->Respond(Status(200), body.get()));
  for (int i = 0; i < 1000 && !responding.Settle() && loop_.SkipToTimer(); ++i) Settle();
  EXPECT_EQ(responding.Finish().fault, Fault::kClientTimeoutWrite);
}

// ---- Cancelled anywhere

TEST_F(Http2ServerTest, ATaskMayBeDestroyedWhereverItWaits) {
  const uint64_t before = FramePool::live_bytes();
  for (int turns = 0; turns < 30; ++turns) {
    Connect({{h2::kInitialWindowSize, 1000}});
    {
      Request request = Ask(1, h2::Post(), h2::kEndHeaders);
      FedBody body;
      body.Feed(std::string(100000, 'x'));
      Driven responding(loop_, streams_[0]->Respond(Status(200), &body));
      Driven reading(loop_, request.body->Read());
      client_->Write(h2::Data(1, "piece") + h2::WindowUpdate(1, 5000) + h2::WindowUpdate(0, 5000));
      for (int i = 0; i < turns; ++i) loop_.Turn(0);
    }
    streams_.clear();
    Ask(3);
    EXPECT_FALSE(Respond(*streams_[0], Status(200)));
    EXPECT_NE(Heard().find("HEADERS 3 END_STREAM"), std::string::npos);
  }
  for (int turns = 0; turns < 10; ++turns) {
    Connect();
    client_->Write(h2::Headers(1, h2::Get()) + h2::Headers(3, h2::Post(), h2::kEndHeaders));
    for (int i = 0; i < turns; ++i) loop_.Turn(0);
    Drop();  // the connection's own
  }
  Drop();
  EXPECT_EQ(FramePool::live_bytes(), before);
}

}  // namespace
}  // namespace egret
