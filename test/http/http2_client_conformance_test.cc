// What RFC 9113 asks of a client, case by case: frames that a server may send, those that it may not, and what becomes
// of them. Each case stands behind both SETTINGS and a request on stream 1 that was sent whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"
#include "source/event/task.h"
#include "source/http/http2_client.h"
#include "test/http/http2_client_bench.h"
#include "test/support/http2_frames.h"

namespace egret {
namespace {

using namespace h2;
using namespace std::string_literals;

constexpr uint32_t kProtocol = 1, kFlowControl = 3, kFrameSize = 6, kCompression = 9;
constexpr size_t kMaxFrame = 16384;
constexpr uint8_t kDone = kEndHeaders | kEndStream;

struct Outcome {
  enum Kind { kAnswered, kFailed, kClosed } kind;
  Fault fault = Fault::kNone;
  uint32_t code = 0;  // of the RST_STREAM that the server hears, or of the GOAWAY
};
Outcome Answered() { return {Outcome::kAnswered}; }
Outcome Malformed() { return {Outcome::kFailed, Fault::kUpstreamMalformed, kProtocol}; }
Outcome FailedWith(Fault fault, uint32_t code = 0) { return {Outcome::kFailed, fault, code}; }
Outcome ClosedWith(uint32_t code) { return {Outcome::kClosed, Fault::kUpstreamHttp2, code}; }

struct Case {
  std::string_view section;  // of RFC 9113 or RFC 7541 (H)
  std::string_view what;
  std::string bytes;
  Outcome outcome;
};

const Fields kOk = {{":status", "200"}};

Fields OkWith(std::string_view name, std::string_view value) {
  Fields fields = kOk;
  fields.emplace_back(name, value);
  return fields;
}
std::string Begun(const Fields& fields = kOk) { return Headers(1, fields, kEndHeaders); }
std::string Whole() { return Headers(1, kOk); }

std::vector<Case> Frames() {
  const std::string block = Block(OkWith("x", "some value"));
  const std::string half = block.substr(0, block.size() / 2), rest = block.substr(block.size() / 2);
  const std::string large(kMaxFrame + 1, 'x');
  return {
      {"4.1", "a frame of an unknown type is ignored", Frame(0x42, 0xff, 0, "what") + Whole(), Answered()},
      {"4.1", "unknown flags are ignored", Frame(kPing, 0x16 & ~kAck, 0, "12345678") + Whole(), Answered()},
      {"4.1", "the reserved bit of a stream's id is ignored", Frame(kHeaders, kDone, 0x80000001, block), Answered()},
      {"4.2", "DATA of the largest size", Begun() + Data(1, std::string(kMaxFrame, 'x'), kEndStream), Answered()},
      {"4.2", "DATA one larger", Begun() + Data(1, large), ClosedWith(kFrameSize)},
      {"4.2", "HEADERS one larger", Frame(kHeaders, kDone, 1, large), ClosedWith(kFrameSize)},
      {"4.2", "CONTINUATION one larger",
       Frame(kHeaders, kEndStream, 1, half) + Frame(kContinuation, kEndHeaders, 1, large), ClosedWith(kFrameSize)},
      {"4.2", "an unknown frame one larger", Frame(0x42, 0, 0, large), ClosedWith(kFrameSize)},
      {"4.3", "a field section in two frames",
       Frame(kHeaders, kEndStream, 1, half) + Frame(kContinuation, kEndHeaders, 1, rest), Answered()},
      {"4.3", "PRIORITY inside a field section",
       Frame(kHeaders, kEndStream, 1, half) + Frame(kPriority, 0, 1, Number(0, 4) + "\x0f"), ClosedWith(kProtocol)},
      {"4.3", "DATA inside a field section", Frame(kHeaders, kEndStream, 1, half) + Data(1, "x"),
       ClosedWith(kProtocol)},
      {"4.3", "an unknown frame inside a field section", Frame(kHeaders, kEndStream, 1, half) + Frame(0x42, 0, 0, ""),
       ClosedWith(kProtocol)},

      {"6.1", "DATA on stream 0", Frame(kData, 0, 0, "x"), ClosedWith(kProtocol)},
      {"6.1", "padded DATA", Begun() + PaddedData(1, "abc", 5, kEndStream), Answered()},
      {"6.1", "padding as long as the frame", Begun() + Frame(kData, kPadded, 1, Cat("\x05", "abcd")),
       ClosedWith(kProtocol)},
      {"6.1", "padding of 255 and nothing else", Begun() + PaddedData(1, "", 255, kEndStream), Answered()},
      {"6.1", "no room for the padding's length", Begun() + Frame(kData, kPadded, 1, ""), ClosedWith(kProtocol)},
      {"6.2", "HEADERS on stream 0", Frame(kHeaders, kDone, 0, block), ClosedWith(kProtocol)},
      {"6.2", "padded HEADERS", Frame(kHeaders, kDone | kPadded, 1, "\x03" + block + "\0\0\0"s), Answered()},
      {"6.2", "padding longer than HEADERS", Frame(kHeaders, kDone | kPadded, 1, "\xff" + block),
       ClosedWith(kProtocol)},
      {"6.2", "HEADERS with priority", Frame(kHeaders, kDone | kWithPriority, 1, Number(0, 4) + "\x0f" + block),
       Answered()},
      {"6.3", "PRIORITY is taken and of no effect", Frame(kPriority, 0, 1, Number(0, 4) + "\x0f") + Whole(),
       Answered()},
      {"6.3", "PRIORITY on stream 0", Frame(kPriority, 0, 0, Number(0, 4) + "\x0f"), ClosedWith(kProtocol)},
      {"6.3", "PRIORITY of the wrong size", Frame(kPriority, 0, 1, "1234"), ClosedWith(kFrameSize)},
      {"6.4", "RST_STREAM", Reset(1, 2), FailedWith(Fault::kUpstreamReset)},
      {"6.4", "RST_STREAM behind a head", Begun() + Reset(1, 8), FailedWith(Fault::kUpstreamReset)},
      {"6.4", "RST_STREAM (REFUSED_STREAM)", Reset(1, 7), FailedWith(Fault::kUpstreamRefused)},
      {"6.4", "RST_STREAM of an unknown code", Reset(1, 0x1234), FailedWith(Fault::kUpstreamReset)},
      {"6.4", "RST_STREAM on stream 0", Reset(0, 8), ClosedWith(kProtocol)},
      {"6.4", "RST_STREAM of an idle stream", Reset(3, 8), ClosedWith(kProtocol)},
      {"6.4", "RST_STREAM of the wrong size", Frame(kRstStream, 0, 1, "123"), ClosedWith(kFrameSize)},
      {"6.5", "SETTINGS with an unknown one", Settings({{0x77, 1}}) + Whole(), Answered()},
      {"6.5", "SETTINGS again", Settings() + Whole(), Answered()},
      {"6.5", "an ACK with content", Frame(kSettings, kAck, 0, "123456"), ClosedWith(kFrameSize)},
      {"6.5", "SETTINGS on a stream", Frame(kSettings, 0, 1, ""), ClosedWith(kProtocol)},
      {"6.5", "SETTINGS of an odd size", Frame(kSettings, 0, 0, "12345"), ClosedWith(kFrameSize)},
      {"6.5.2", "ENABLE_PUSH of 0", Settings({{kEnablePush, 0}}) + Whole(), Answered()},
      {"6.5.2", "ENABLE_PUSH of 1 from a server", Settings({{kEnablePush, 1}}), ClosedWith(kProtocol)},
      {"6.5.2", "a window of 2^31", Settings({{kInitialWindowSize, 0x80000000}}), ClosedWith(kFlowControl)},
      {"6.5.2", "frames smaller than 2^14", Settings({{kMaxFrameSize, 16383}}), ClosedWith(kProtocol)},
      {"6.5.2", "frames larger than 2^24-1", Settings({{kMaxFrameSize, 1 << 24}}), ClosedWith(kProtocol)},
      {"6.6", "PUSH_PROMISE, which we never allowed",
       Begun() + Frame(kPushPromise, kEndHeaders, 1, Number(2, 4) + Block(Get())), ClosedWith(kProtocol)},
      {"6.6", "PUSH_PROMISE on stream 0", Frame(kPushPromise, kEndHeaders, 0, Number(2, 4) + Block(Get())),
       ClosedWith(kProtocol)},
      {"6.7", "PING", Ping() + Whole(), Answered()},
      {"6.7", "an ACK of no PING of ours", Ping("12345678", kAck) + Whole(), Answered()},
      {"6.7", "PING on a stream", Frame(kPing, 0, 1, "12345678"), ClosedWith(kProtocol)},
      {"6.7", "PING of the wrong size", Frame(kPing, 0, 0, "1234567"), ClosedWith(kFrameSize)},
      {"6.8", "GOAWAY on a stream", Frame(kGoaway, 0, 1, Number(0, 8)), ClosedWith(kProtocol)},
      {"6.8", "GOAWAY too short", Frame(kGoaway, 0, 0, "1234"), ClosedWith(kFrameSize)},
      {"6.9", "WINDOW_UPDATE of 0 for the connection", WindowUpdate(0, 0), ClosedWith(kProtocol)},
      {"6.9", "WINDOW_UPDATE of 0 for a stream", WindowUpdate(1, 0), ClosedWith(kProtocol)},
      {"6.9", "WINDOW_UPDATE of the wrong size", Frame(kWindowUpdate, 0, 0, "123"), ClosedWith(kFrameSize)},
      {"6.9.1", "the connection's window beyond 2^31-1", WindowUpdate(0, 0x7fffffff), ClosedWith(kFlowControl)},
      {"6.9.1", "a stream's window beyond 2^31-1", WindowUpdate(1, 0x7fffffff),
       FailedWith(Fault::kUpstreamMalformed, kFlowControl)},
      // RFC 9113 6.9.2 asks for the connection's end; nghttp2 ends the stream, whose window alone is void.
      {"6.9.2", "a window that SETTINGS brings beyond 2^31-1",
       WindowUpdate(1, 0x7fff0000 - 65535) + Settings({{kInitialWindowSize, 0x7fffffff}}),
       FailedWith(Fault::kUpstreamMalformed, kFlowControl)},
      {"6.10", "CONTINUATION on stream 0", Frame(kHeaders, 0, 1, half) + Frame(kContinuation, kEndHeaders, 0, rest),
       ClosedWith(kProtocol)},
      {"6.10", "CONTINUATION behind nothing", Frame(kContinuation, kEndHeaders, 1, block), ClosedWith(kProtocol)},
      {"6.10", "CONTINUATION behind a whole section", Begun() + Frame(kContinuation, kEndHeaders, 1, block),
       ClosedWith(kProtocol)},
      {"6.10", "CONTINUATION behind DATA", Begun() + Data(1, "x") + Frame(kContinuation, kEndHeaders, 1, block),
       ClosedWith(kProtocol)},
  };
}

std::vector<Case> States() {
  return {
      {"5.1", "DATA on an idle stream", Data(3, "x"), ClosedWith(kProtocol)},
      {"5.1", "HEADERS on an idle stream", Headers(3, kOk), ClosedWith(kProtocol)},
      {"5.1", "WINDOW_UPDATE on an idle stream", WindowUpdate(3, 10), ClosedWith(kProtocol)},
      // Whoever forgets a stream once it is over cannot tell what comes late from what should not come.
      {"5.1", "DATA behind the end is dropped", Whole() + Data(1, "x"), Answered()},
      {"5.1", "HEADERS behind the end are dropped", Whole() + Whole(), Answered()},
      {"5.1", "WINDOW_UPDATE behind the end", Whole() + WindowUpdate(1, 10), Answered()},
      {"5.1", "RST_STREAM behind the end", Whole() + Reset(1, 8), Answered()},
      {"5.1", "a stream of the server's own", Headers(2, kOk), ClosedWith(kProtocol)},
      {"5.5", "an unknown frame on a stream", Begun() + Frame(0x42, 0, 1, "x") + Data(1, "", kEndStream), Answered()},
  };
}

std::vector<Case> Messages() {
  const auto with = [](std::string_view name, std::string_view value) { return Headers(1, OkWith(name, value)); };
  return {
      {"8.1", "content", Begun() + Data(1, "abc", kEndStream), Answered()},
      {"8.1", "content and trailers", Begun() + Data(1, "abc") + Headers(1, {{"x", "y"}}), Answered()},
      {"8.1", "DATA before a head", Data(1, "x"), ClosedWith(kProtocol)},
      {"8.1", "a second section without an end", Begun() + Headers(1, {{"x", "y"}}, kEndHeaders), Malformed()},
      {"8.1", "a pseudo-field in trailers", Begun() + Headers(1, {{":status", "200"}}), Malformed()},
      {"8.1", "interim heads first",
       Headers(1, {{":status", "100"}}, kEndHeaders) + Headers(1, {{":status", "103"}, {"link", "x"}}, kEndHeaders) +
           Whole(),
       Answered()},
      {"8.1", "an interim head with an end", Headers(1, {{":status", "103"}}), Malformed()},
      {"8.1", "DATA behind an interim head", Headers(1, {{":status", "103"}}, kEndHeaders) + Data(1, "x"), Malformed()},
      {"8.1.1", "less than content-length", Begun(OkWith("content-length", "4")) + Data(1, "abc", kEndStream),
       Malformed()},
      {"8.1.1", "more than content-length", Begun(OkWith("content-length", "2")) + Data(1, "abc"), Malformed()},
      {"8.1.1", "content-length and no content", with("content-length", "2"), Malformed()},
      {"8.1.1", "as much as content-length in two frames",
       Begun(OkWith("content-length", "4")) + Data(1, "ab") + Data(1, "cd", kEndStream), Answered()},
      {"8.1.1", "content-length twice",
       Headers(1, {{":status", "200"}, {"content-length", "0"}, {"content-length", "0"}}), Malformed()},
      {"8.1.1", "content-length that is no number", with("content-length", "x"), Malformed()},
      {"8.1.1", "content-length with a sign", with("content-length", "+0"), Malformed()},
      {"8.1.1", "204 with content, which is not listened to",
       Headers(1, {{":status", "204"}}, kEndHeaders) + Data(1, "x", kEndStream), FailedWith(Fault::kNone, kProtocol)},
      {"8.1.1", "304 with content-length and none", Headers(1, {{":status", "304"}, {"content-length", "9"}}),
       Answered()},
      {"8.2.1", "an upper-case name", with("X-Upper", "y"), Malformed()},
      {"8.2.1", "a name with a space", with("x y", "z"), Malformed()},
      {"8.2.1", "a name with a colon inside", with("x:y", "z"), Malformed()},
      {"8.2.1", "an empty name", with("", "z"), Malformed()},
      {"8.2.1", "CR and LF in a value", with("x", "a\r\nb: c"), Malformed()},
      {"8.2.1", "NUL in a value", with("x", "a\0b"s), Malformed()},
      {"8.2.1", "a control character in a value", with("x", "a\x01"), Malformed()},
      {"8.2.1", "white space around a value, which is trimmed", with("x", " a\t"), Answered()},
      {"8.2.1", "an empty value", with("x", ""), Answered()},
      {"8.2.2", "connection", with("connection", "x"), Malformed()},
      {"8.2.2", "keep-alive", with("keep-alive", "x"), Malformed()},
      {"8.2.2", "proxy-connection", with("proxy-connection", "x"), Malformed()},
      {"8.2.2", "transfer-encoding", with("transfer-encoding", "chunked"), Malformed()},
      {"8.2.2", "upgrade", with("upgrade", "x"), Malformed()},
      {"8.3", "an unknown pseudo-field", with(":x", "y"), Malformed()},
      {"8.3", "a request's pseudo-field", with(":path", "/"), Malformed()},
      {"8.3", "a pseudo-field behind a field", Headers(1, {{"x", "y"}, {":status", "200"}}), Malformed()},
      {"8.3.2", "no :status", Headers(1, {{"x", "y"}}), Malformed()},
      {"8.3.2", ":status twice", with(":status", "200"), Malformed()},
      {"8.3.2", ":status of two digits", Headers(1, {{":status", "20"}}), Malformed()},
      {"8.3.2", ":status of four digits", Headers(1, {{":status", "2000"}}), Malformed()},
      {"8.3.2", ":status that is no number", Headers(1, {{":status", "2x0"}}), Malformed()},
      {"8.3.2", ":status 099", Headers(1, {{":status", "099"}}), Malformed()},
      {"8.6", "101, which HTTP/2 has not", Headers(1, {{":status", "101"}}, kEndHeaders), Malformed()},
  };
}

std::vector<Case> Hpack() {
  const auto section = [](const std::string& block) { return Frame(kHeaders, kDone, 1, block); };
  const std::string ok = "\x88";
  return {
      {"H6.1", "an indexed field", section(ok), Answered()},
      {"H6.1", "index 0", section(ok + "\x80"), ClosedWith(kCompression)},
      {"H2.3.3", "an index beyond both tables", section(ok + "\xfe"), ClosedWith(kCompression)},
      {"H6.2", "a name's index beyond both tables", section(Cat(ok, "\x7f\x7f", "\x01x")), ClosedWith(kCompression)},
      {"H6.2.1", "a literal that is put into the table, used again", section(Cat(ok, "\x40\x01x\x01y", "\xbe")),
       Answered()},
      {"H6.3", "the table's size changed first", section(Cat("\x20", ok)), Answered()},
      {"H6.3", "the table's size changed behind a field", section(Cat(ok, "\x20")), ClosedWith(kCompression)},
      {"H6.3", "a table larger than was allowed", section(Cat("\x3f\xe2\x1f", ok)), ClosedWith(kCompression)},
      {"H5.1", "an integer that never ends", section(Cat(ok, "\x1f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f")),
       ClosedWith(kCompression)},
      {"H5.2", "Huffman padding longer than 7 bits", section(Cat(ok, "\x10\x01x\x84\x49\x50\x9f\xff")),
       ClosedWith(kCompression)},
      {"H5.2", "Huffman padding of zeros", section(Cat(ok, "\x10\x01x\x83\x49\x50\x90")), ClosedWith(kCompression)},
      {"H5.2", "Huffman's EOS", section(Cat(ok, "\x10\x01x\x84\xff\xff\xff\xff")), ClosedWith(kCompression)},
      {"H4.1", "a string cut short", section(Cat(ok, "\x10\x01x\x20y")), ClosedWith(kCompression)},
  };
}

// Reads the response as a forwarding filter does: heads, then content to its end.
Task<Failure> ReadResponse(Http2ClientStream& stream) {
  for (;;) {
    const Result<Head, Failure> head = co_await stream.ReadHead();
    if (!head) co_return head.error();
    if (head->status >= 200) break;
  }
  const std::unique_ptr<Body> body = stream.ResponseBody();
  while (body != nullptr) {
    const Chunk chunk = co_await body->Read();
    if (chunk.kind == Chunk::kFailed) co_return chunk.why;
    if (chunk.kind == Chunk::kEnd) break;
  }
  co_return Failure{};
}

class Http2ClientConformance : public Http2ClientBench {
 protected:
  static const Got* Find(const std::vector<Got>& frames, uint8_t type) {
    const auto at = std::find_if(frames.begin(), frames.end(), [type](const Got& got) { return got.type == type; });
    return at == frames.end() ? nullptr : &*at;
  }

  void Judge(const Case& item) {
    Start();
    const auto stream = Ask();
    Hear();
    Driven reading(loop_, ReadResponse(*stream));
    Say(item.bytes);
    const std::vector<Got> frames = Hear();
    const Got* const reset = Find(frames, kRstStream);
    const Got* const goaway = Find(frames, kGoaway);
    ASSERT_TRUE(reading.Settle()) << "no answer and no failure; " << Describe(frames);
    EXPECT_EQ(TextOf(reading.Finish().fault).detail, TextOf(item.outcome.fault).detail) << Describe(frames);
    if (item.outcome.kind == Outcome::kClosed) {
      ASSERT_NE(goaway, nullptr) << Describe(frames);
      EXPECT_EQ(goaway->code(), item.outcome.code) << Describe(frames);
      server_->Finish();
      EXPECT_EQ(running_->Finish().fault, Fault::kUpstreamHttp2);
      return;
    }
    ASSERT_EQ(goaway, nullptr) << Describe(frames);
    EXPECT_EQ(reset != nullptr ? reset->code() : 0, item.outcome.code) << Describe(frames);
    // No other stream suffers.
    const auto other = Ask();
    Driven rest(loop_, ReadResponse(*other));
    Say(Headers(3, kOk));
    ASSERT_TRUE(rest.Settle()) << Heard();
    EXPECT_EQ(rest.Finish(), Failure{});
  }

  void JudgeAll(const std::vector<Case>& cases) {
    for (const Case& item : cases) {
      SCOPED_TRACE(Cat(item.section, ": ", item.what));
      Judge(item);
    }
  }
};

TEST_F(Http2ClientConformance, Frames) { JudgeAll(Frames()); }
TEST_F(Http2ClientConformance, States) { JudgeAll(States()); }
TEST_F(Http2ClientConformance, Messages) { JudgeAll(Messages()); }
TEST_F(Http2ClientConformance, Hpack) { JudgeAll(Hpack()); }

TEST_F(Http2ClientConformance, SettingsMustComeFirst) {
  for (const std::string& first : {Ping(), Headers(1, kOk), "HTTP/1.1 200 OK\r\n\r\n"s, Frame(0x42, 0, 0, "x")}) {
    Open();
    Say(first);
    server_->Finish();
    EXPECT_EQ(running_->Finish().fault, Fault::kUpstreamHttp2);
  }
}

TEST_F(Http2ClientConformance, AResponseMayComeInPieces) {
  Start();
  const auto stream = Ask();
  Driven reading(loop_, ReadResponse(*stream));
  for (const char c : Begun() + Data(1, "abc") + Headers(1, {{"x", "y"}})) Say({&c, 1});
  EXPECT_EQ(reading.Finish(), Failure{});
}

TEST_F(Http2ClientConformance, SettingsAndPingAreConfirmed) {
  Start();
  Say(Settings({{kHeaderTableSize, 0}}) + Ping("abcdefgh"));
  const std::vector<Got> frames = Hear(true);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].type, kSettings);
  EXPECT_EQ(frames[0].flags, kAck);
  EXPECT_EQ(frames[1].payload, "abcdefgh");
  EXPECT_EQ(frames[1].flags, kAck);
}

TEST_F(Http2ClientConformance, AWindowMayBecomeNegative) {
  Start({{kInitialWindowSize, 10}});
  const std::unique_ptr<Body> body = MakeBody(std::string(20, 'x'));
  const auto stream = Ask(RequestHead("POST"), body.get());
  EXPECT_EQ(Hear().size(), 2u);
  Driven uploading(loop_, stream->Upload(*body));
  Say(Settings({{kInitialWindowSize, 5}}));  // now -5
  Say(WindowUpdate(1, 5));
  EXPECT_EQ(Heard(), "");
  Say(WindowUpdate(1, 1));
  EXPECT_EQ(Heard(), "DATA 1 (1)\n");
  Say(Settings({{kInitialWindowSize, 100}}));
  EXPECT_EQ(Heard(), "DATA 1 (9) END_STREAM\n");
}

TEST_F(Http2ClientConformance, MoreDataThanAWindowIsAnErrorOfFlowControl) {
  limits_.stream_window = 65535;
  Start();
  const auto stream = Ask();
  std::string all = Begun();
  for (int i = 0; i < 5; ++i) all += Data(1, std::string(16000, 'x'));
  Say(all);
  const std::vector<Got> frames = Hear();
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(frames.back().code(), kFlowControl);
}

// ---- Floods: a server is as little trusted as a client.

TEST_F(Http2ClientConformance, F15_EachFloodIsCutOffAndCounted) {
  limits_.control_frames = {100, 10};
  limits_.resets = {50, 10};
  const std::vector<std::pair<Http2Limit, std::string>> kinds = {
      {Http2Limit::kSettings, Settings()},
      {Http2Limit::kPings, Ping()},
      {Http2Limit::kPriorities, Frame(kPriority, 0, 1, Number(0, 4) + "\x0f")},
      {Http2Limit::kWindowUpdates, WindowUpdate(0, 1)},
      {Http2Limit::kEmptyFrames, Data(1, "")},
      {Http2Limit::kContinuations, Frame(kContinuation, 0, 1, "")},
  };
  for (const auto& [limit, frame] : kinds) {
    SCOPED_TRACE(static_cast<int>(limit));
    Start();
    const auto stream = Ask();
    if (limit == Http2Limit::kEmptyFrames) Say(Begun());
    if (limit == Http2Limit::kContinuations) Say(Frame(kHeaders, 0, 1, Block(kOk)));
    const uint64_t before = hits_.Read(limit);
    int said = 0;
    for (; said < 1000 && hits_.Read(limit) == before; ++said) Say(frame);
    EXPECT_EQ(hits_.Read(limit), before + 1);
    EXPECT_LE(said, 120);
    server_->Finish();
    EXPECT_EQ(running_->Finish().fault, Fault::kUpstreamHttp2);
  }
}

TEST_F(Http2ClientConformance, F15_AServerThatResetsWhateverItIsAskedIsLeft) {
  limits_.resets = {50, 10};
  Start();
  uint32_t id = 1;
  for (; id < 1000 && client_->CanOpen(); id += 2) {
    const auto stream = Ask();
    Say(Reset(id, 7));
  }
  EXPECT_LE(id, 120u);
  EXPECT_EQ(hits_.Read(Http2Limit::kResets), 1u);
}

}  // namespace
}  // namespace egret
