// Where all inboxes of a thread hold too much: whoever holds most of it and was not read for a second makes way.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "source/http/http2_client.h"
#include "test/http/http2_bench.h"
#include "test/http/http2_client_bench.h"
#include "test/support/http2_frames.h"

namespace egret {
namespace {

using namespace h2;

constexpr size_t kMost = 100000;

// The limit is the process's; each test gives back what it found.
class SmallInboxes {
 public:
  SmallInboxes() { Http2Session::max_inbox_bytes_per_thread = kMost; }
  ~SmallInboxes() { Http2Session::max_inbox_bytes_per_thread = before_; }

 private:
  size_t before_ = Http2Session::max_inbox_bytes_per_thread;
};

class Http2Unread : public Http2Bench {
 protected:
  void Wait(uint64_t ms) {
    const uint64_t until = loop_.now_ms() + ms;
    while (loop_.now_ms() < until && loop_.SkipToTimer(until - loop_.now_ms())) loop_.Turn(0);
    Settle();
  }
  Request Upload(uint32_t id, size_t bytes) {
    Say(Headers(id, Post(), kEndHeaders));
    Request request = streams_.back()->TakeRequest();
    for (; bytes > 10000; bytes -= 10000) Say(Data(id, std::string(10000, 'x')));
    Say(Data(id, std::string(bytes, 'x')));
    return request;
  }
  SmallInboxes small_;
};

TEST_F(Http2Unread, TheFullestStreamIsResetAndTheOthersGoOn) {
  Connect();
  const Request little = Upload(1, 20000), most = Upload(3, 50000), more = Upload(5, 30000);
  Wait(900);
  EXPECT_EQ(Heard(), "");  // a reader may be slow
  Wait(600);
  EXPECT_EQ(Heard(), "RST_STREAM 3 code 8\n");
  EXPECT_EQ(hits(Http2Limit::kUnreadStream), 1);
  const Chunk chunk = Driven(loop_, most.body->Read()).Finish();
  EXPECT_EQ(chunk.why, (Failure{Side::kEgret, Fault::kOverload}));
  EXPECT_EQ(Http2Session::inbox_bytes_of_thread(), 50000u);
  EXPECT_EQ(Driven(loop_, little.body->Read()).Finish().kind, Chunk::kBytes);
  Wait(5000);
  EXPECT_EQ(Heard(), "");  // there is room again
  Say(Data(3, "crossed the reset") + Headers(7, Get()));
  EXPECT_EQ(streams_.size(), 4u);
}

TEST_F(Http2Unread, WhoeverReadsIsSpared) {
  Connect();
  const Request read = Upload(1, 60000), unread = Upload(3, 50000);
  for (int i = 0; i < 3; ++i) {
    Wait(400);
    EXPECT_EQ(Driven(loop_, read.body->Read()).Finish().kind, Chunk::kBytes);
    Say(Data(1, std::string(9000, 'x')));
  }
  Wait(400);
  EXPECT_EQ(Heard(), "RST_STREAM 3 code 8\n");
}

TEST_F(Http2Unread, NewStreamsAreRefusedMeanwhile) {
  Connect();
  const Request one = Upload(1, 60000), other = Upload(3, 60000);
  Say(Headers(5, Get()));
  EXPECT_EQ(Heard(), "RST_STREAM 5 code 7\n");
  EXPECT_EQ(hits(Http2Limit::kStreams), 1);
}

class Http2UnreadAnswer : public Http2ClientBench {
 protected:
  SmallInboxes small_;
};

// The stream is closed by then, and its content is still here.
TEST_F(Http2UnreadAnswer, AnAnswerThatNobodyTakesIsDropped) {
  Start();
  const auto stream = Ask();
  Say(Headers(1, {{":status", "200"}}, kEndHeaders));
  for (int i = 0; i < 9; ++i) Say(Data(1, std::string(12000, 'x')));
  Say(Data(1, "", kEndStream));
  EXPECT_TRUE(ReadHead(*stream));
  const std::unique_ptr<Body> body = stream->ResponseBody();
  while (hits_.Read(Http2Limit::kUnreadStream) == 0 && loop_.SkipToTimer()) running_->Settle();
  EXPECT_EQ(Driven(loop_, body->Read()).Finish().why, (Failure{Side::kEgret, Fault::kOverload}));
  EXPECT_EQ(Http2Session::inbox_bytes_of_thread(), 0u);
  EXPECT_TRUE(client_->CanOpen());
}

}  // namespace
}  // namespace egret
