// Clients that cost more than they pay: each kind of flood meets its own limit, is told ENHANCE_YOUR_CALM and counted,
// and holds no more memory than the limits say.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/event/nursery.h"
#include "source/http/http2_server.h"
#include "test/http/http2_bench.h"
#include "test/support/http2_frames.h"

namespace egret {
namespace {

using namespace h2;

constexpr uint32_t kCalm = 11;

class Http2Abuse : public Http2Bench {
 protected:
  Http2Abuse() {
    limits_.resets = {50, 10};
    limits_.control_frames = {100, 10};
  }

  // Sends `piece` again and again; how often, until the connection was closed for it.
  template <class Piece>
  int Flood(Piece piece, Http2Limit limit, int most = 20000) {
    int sent = 0;
    while (sent < most && !ended_) {
      Say(piece(sent++));
      std::vector<Got> frames = Hear();
      if (!frames.empty() && frames.back().type == kGoaway) {
        EXPECT_EQ(frames.back().code(), kCalm);
        ended_ = true;
      }
    }
    EXPECT_TRUE(ended_) << "nobody minded";
    EXPECT_EQ(hits(limit), 1);
    client_->Finish();
    EXPECT_EQ(End().fault, Fault::kHttp2Flood);
    ended_ = false;
    return sent;
  }
  void AnswerAll(int status = 200) {
    for (auto& stream : streams_) {
      stream->TakeRequest();
      Driven(loop_, stream->Respond(Status(status), nullptr)).Finish();
    }
    streams_.clear();
  }
  bool ended_ = false;
};

TEST_F(Http2Abuse, F02_RapidResetCostsNoTaskAndEnds) {
  Connect();
  const int sent = Flood(
      [](int n) {
        const auto id = static_cast<uint32_t>(2 * n + 1);
        return Headers(id, Get()) + Reset(id, 8);
      },
      Http2Limit::kResets);
  EXPECT_LE(sent, 60);
  EXPECT_TRUE(streams_.empty());  // opened and reset in one go
}

TEST_F(Http2Abuse, F02_ResetsOfRunningRequestsEndToo) {
  Connect();
  const int sent = Flood(
      [this](int n) {
        streams_.clear();
        const auto id = static_cast<uint32_t>(2 * n + 1);
        Say(Headers(id, Get()));
        return Reset(id, 8);
      },
      Http2Limit::kResets);
  EXPECT_LE(sent, 60);
}

TEST_F(Http2Abuse, EndedStreamsMakeRoomButNotForMoreTasksThanTwiceTheLimit) {
  limits_.streams = 5;
  Connect();
  for (uint32_t id = 1; id < 40; id += 2) Say(Headers(id, Get()));
  EXPECT_EQ(streams_.size(), 5u);
  for (uint32_t id = 1; id < 11; id += 2) Say(Reset(id, 8));
  for (uint32_t id = 41; id < 80; id += 2) Say(Headers(id, Get()));
  EXPECT_EQ(streams_.size(), 10u);  // with the five that nobody wants any more
  for (uint32_t id = 41; id < 51; id += 2) Say(Reset(id, 8));
  Say(Headers(81, Get()));
  EXPECT_EQ(streams_.size(), 10u);
  streams_.clear();
  Say(Headers(83, Get()));
  EXPECT_EQ(streams_.size(), 1u);
}

// CVE-2025-8671: the client makes us reset, which closes the stream for the protocol but not for the work behind it.
TEST_F(Http2Abuse, F03_EachWayToMakeUsResetIsCounted) {
  const auto head = [](int n) { return Headers(static_cast<uint32_t>(2 * n + 1), Post(), kEndHeaders); };
  const auto id = [](int n) { return static_cast<uint32_t>(2 * n + 1); };
  const std::vector<std::pair<std::string_view, std::function<std::string(int)>>> ways = {
      {"a window beyond 2^31-1", [&](int n) { return head(n) + WindowUpdate(id(n), 0x7fffffff); }},
      {"trailers that do not end", [&](int n) { return head(n) + Headers(id(n), {{"x", "y"}}, kEndHeaders); }},
      {"more than content-length",
       [&](int n) { return Headers(id(n), Post("/", {{"content-length", "1"}}), kEndHeaders) + Data(id(n), "abc"); }},
      {"a malformed request", [&](int n) { return Headers(id(n), Get("no-slash")); }},
      {"fields inside a tunnel",
       [&](int n) { return Headers(id(n), h2::Connect("a:1"), kEndHeaders) + Headers(id(n), {{"x", "y"}}); }},
      {"pseudo-fields in trailers", [&](int n) { return head(n) + Headers(id(n), {{":path", "/"}}); }},
  };
  for (const auto& [what, way] : ways) {
    SCOPED_TRACE(what);
    Connect();
    EXPECT_LE(Flood(
                  [&, &piece = way](int n) {
                    streams_.clear();
                    return piece(n);
                  },
                  Http2Limit::kResets),
              60);
    streams_.clear();
  }
}

TEST_F(Http2Abuse, F04_ContinuationsWithoutEnd) {
  Connect();
  EXPECT_LE(Flood(
                [](int n) {
                  return Frame(n == 0 ? kHeaders : kContinuation, 0, 1, n == 0 ? Block(Get()) : "\x10\x01x\x01y");
                },
                Http2Limit::kContinuations),
            static_cast<int>(limits_.continuations) + 2);
  Connect();
  EXPECT_LE(Flood([](int n) { return Frame(n == 0 ? kHeaders : kContinuation, 0, 1, n == 0 ? Block(Get()) : ""); },
                  Http2Limit::kContinuations),
            static_cast<int>(limits_.continuations) + 2);
}

TEST_F(Http2Abuse, F05_AFieldFromTheTableAgainAndAgain) {
  Connect();
  std::string block = Block(Get()) + "\x40\x01x\x7f\xa1\x1e" + std::string(4000, 'y');
  block += std::string(10000, '\xbe');  // 40 MB, decoded
  Say(Frame(kHeaders, kEndHeaders | kEndStream, 1, block));
  const std::vector<Got> frames = Hear();
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(frames.back().code(), kCalm);
  EXPECT_EQ(hits(Http2Limit::kHeadBytes), 1);
}

TEST_F(Http2Abuse, AHeadAboveTheLimitIsAnswered) {
  limits_.head_bytes = 10000;
  limits_.fields = 20;
  limits_.target_bytes = 1000;
  Connect();
  const auto refusal = [this](const Fields& fields) {
    static uint32_t id = 1;
    Say(Headers(id, fields));
    id += 2;
    EXPECT_EQ(streams_.size(), 1u) << Heard();
    if (streams_.empty()) return Fault::kNone;
    const Fault fault = streams_[0]->refused().fault;
    AnswerAll(431);
    EXPECT_EQ(Hear().size(), 1u);
    return fault;
  };
  const auto overhead = [](const Fields& fields) {
    size_t bytes = 0;
    for (const auto& [name, value] : fields) bytes += name.size() + value.size() + 32;
    return bytes;
  };
  const size_t rest = 10000 - overhead(Get("/", {{"x", ""}}));
  EXPECT_EQ(refusal(Get("/", {{"x", std::string(rest, 'y')}})), Fault::kNone);
  EXPECT_EQ(refusal(Get("/", {{"x", std::string(rest + 1, 'y')}})), Fault::kHttpHeaderTooLarge);
  Fields many;
  for (int i = 0; i < 20; ++i) many.emplace_back(Cat("x", i), "y");
  EXPECT_EQ(refusal(Get("/", many)), Fault::kNone);
  many.emplace_back("x20", "y");
  EXPECT_EQ(refusal(Get("/", many)), Fault::kHttpTooManyFields);
  EXPECT_EQ(refusal(Get(Cat("/", std::string(999, 'x')))), Fault::kNone);
  EXPECT_EQ(refusal(Get(Cat("/", std::string(1000, 'x')))), Fault::kHttpUriTooLong);
  // Crumbs are one field, and their bytes count.
  Fields crumbs(100, {"cookie", "a=1"});
  EXPECT_EQ(refusal(Get("/", crumbs)), Fault::kNone);
  EXPECT_EQ(refusal(Get("/", Fields(400, {"cookie", "a=1"}))), Fault::kHttpHeaderTooLarge);
}

TEST_F(Http2Abuse, F06_FramesThatDoNothing) {
  const std::vector<std::pair<Http2Limit, std::string>> kinds = {
      {Http2Limit::kSettings, Settings()},
      {Http2Limit::kPings, Ping()},
      {Http2Limit::kPriorities, Frame(kPriority, 0, 3, Number(0, 4) + "\x0f")},
      {Http2Limit::kWindowUpdates, WindowUpdate(0, 1)},
  };
  for (const auto& [limit, frame] : kinds) {
    SCOPED_TRACE(static_cast<int>(limit));
    Connect();
    EXPECT_LE(Flood([&piece = frame](int) { return piece; }, limit), 120);
  }
  for (const std::string& empty : {Data(1, ""), PaddedData(1, "", 200)}) {
    Connect();
    Say(Headers(1, Post(), kEndHeaders));
    EXPECT_LE(Flood([&](int) { return empty; }, Http2Limit::kEmptyFrames), 120);
  }
}

TEST_F(Http2Abuse, WhatIsSpentComesBackWithTimeAndWithContent) {
  Connect();
  for (int i = 0; i < 100; ++i) Say(Ping());
  Hear();
  for (int second = 0; second < 20; ++second) {
    const uint64_t until = loop_.now_ms() + 1000;
    while (loop_.now_ms() < until && loop_.SkipToTimer(until - loop_.now_ms())) loop_.Turn(0);
    for (int i = 0; i < 9; ++i) Say(Ping());
    ASSERT_FALSE(ended());
    Hear();
  }
  // A client that asks for content says each time that it took it.
  Connect();
  Say(Headers(1, Get()));
  streams_[0]->TakeRequest();
  FedBody body;
  Driven responding(loop_, streams_[0]->Respond(Status(200), &body));
  for (int i = 0; i < 1000; ++i) {
    body.Feed("piece");
    Settle();
    Say(WindowUpdate(1, 5) + WindowUpdate(0, 5));
    ASSERT_FALSE(ended()) << i;
    Hear();
  }
}

TEST_F(Http2Abuse, AnswersThatNobodyTakesDoNotPileUp) {
  limits_.control_frames = {1000000, 1000000};
  Connect({}, 1 << 20);
  near_->out().room = 0;  // the client reads nothing
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += Ping();
  for (int i = 0; i < 10 && !ended(); ++i) Say(pings);
  EXPECT_EQ(hits(Http2Limit::kQueuedFrames), 1);
}

TEST_F(Http2Abuse, F08_ContentByteByByteCostsWhatItIs) {
  limits_.control_frames = {1000, 1000};
  Connect();
  Say(Headers(1, Post(), kEndHeaders));
  Request request = streams_[0]->TakeRequest();
  std::string frames;
  for (int i = 0; i < 1000; ++i) frames += PaddedData(1, "x", 255);
  for (int i = 0; i < 10; ++i) Say(frames);
  EXPECT_FALSE(ended());
  size_t blocks = 0, bytes = 0;
  while (request.body->Ready()) {
    bytes += Driven(loop_, request.body->Read()).Finish().bytes.size();
    ++blocks;
  }
  EXPECT_EQ(bytes, 10000u);
  EXPECT_LT(blocks, 20u);
}

}  // namespace
}  // namespace egret
