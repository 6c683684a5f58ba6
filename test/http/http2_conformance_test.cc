// What RFC 9113 asks of a server, case by case: frames that a client may send, those that it may not, and what becomes
// of them. Each case stands behind the preface and both SETTINGS. Where the RFC lets an error of a stream be one of the
// connection (5.4), the case names what is done here.
#include <gtest/gtest.h>

#include <algorithm>
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
using namespace std::string_literals;

constexpr uint32_t kProtocol = 1, kFlowControl = 3, kStreamClosed = 5, kFrameSize = 6, kRefused = 7, kCompression = 9;
constexpr size_t kMaxFrame = 16384;

struct Outcome {
  enum Kind { kServed, kReset, kClosed } kind;
  uint32_t stream = 1;
  uint32_t code = 0;
};
Outcome Served(uint32_t stream = 1) { return {Outcome::kServed, stream, 0}; }
Outcome ResetWith(uint32_t code, uint32_t stream = 1) { return {Outcome::kReset, stream, code}; }
Outcome ClosedWith(uint32_t code) { return {Outcome::kClosed, 0, code}; }

struct Case {
  std::string_view section;  // of RFC 9113, RFC 7541 (H) or RFC 8441 (E)
  std::string_view what;
  std::string bytes;
  Outcome outcome;
  uint32_t silent = 0;  // a stream of which nothing may be heard
};

Fields With(Fields fields, std::string_view name, std::string_view value) {
  fields.emplace_back(name, value);
  return fields;
}
Fields Without(Fields fields, std::string_view name) {
  std::erase_if(fields, [name](const auto& field) { return field.first == name; });
  return fields;
}
Fields Instead(Fields fields, std::string_view name, std::string_view value) {
  for (auto& [known, old] : fields)
    if (known == name) old = value;
  return fields;
}

std::string OpenPost(uint32_t stream = 1, const Fields& more = {}) {
  return Headers(stream, Post("/", more), kEndHeaders);
}
constexpr uint8_t kDone = kEndHeaders | kEndStream;

std::vector<Case> Frames() {
  const std::string block = Block(Get());
  const std::string half = block.substr(0, block.size() / 2), rest = block.substr(block.size() / 2);
  const std::string eight = "12345678";
  return {
      {"3.4", "a request", Headers(1, Get()), Served()},
      {"4.1", "a frame of an unknown type is ignored", Frame(0x42, 0xff, 0, "what") + Headers(1, Get()), Served()},
      {"4.1", "unknown flags are ignored", Frame(kPing, 0x16 & ~kAck, 0, eight) + Headers(1, Get()), Served()},
      {"4.1", "the reserved bit of a stream's id is ignored", Frame(kHeaders, kDone, 0x80000001, block), Served()},
      {"4.2", "DATA of the largest size", OpenPost() + Data(1, std::string(kMaxFrame, 'x'), kEndStream), Served()},
      {"4.2", "DATA one larger", OpenPost() + Data(1, std::string(kMaxFrame + 1, 'x')), ClosedWith(kFrameSize)},
      {"4.2", "HEADERS one larger", Frame(kHeaders, kDone, 1, std::string(kMaxFrame + 1, 'x')), ClosedWith(kFrameSize)},
      {"4.2", "CONTINUATION one larger",
       Frame(kHeaders, kEndStream, 1, half) + Frame(kContinuation, kEndHeaders, 1, std::string(kMaxFrame + 1, 'x')),
       ClosedWith(kFrameSize)},
      {"4.2", "an unknown frame one larger", Frame(0x42, 0, 0, std::string(kMaxFrame + 1, 'x')),
       ClosedWith(kFrameSize)},
      {"4.3", "a field section in two frames",
       Frame(kHeaders, kEndStream, 1, half) + Frame(kContinuation, kEndHeaders, 1, rest), Served()},
      {"4.3", "a field section that cannot be decoded", Frame(kHeaders, kDone, 1, "\xff\xff\xff\xff\xff\xff"),
       ClosedWith(kCompression)},
      {"4.3", "PRIORITY inside a field section",
       Frame(kHeaders, kEndStream, 1, half) + Frame(kPriority, 0, 1, Number(0, 4) + "\x0f"), ClosedWith(kProtocol)},
      {"4.3", "HEADERS of another stream inside a field section",
       Frame(kHeaders, kEndStream, 1, half) + Headers(3, Get()), ClosedWith(kProtocol)},
      {"4.3", "an unknown frame inside a field section", Frame(kHeaders, kEndStream, 1, half) + Frame(0x42, 0, 0, ""),
       ClosedWith(kProtocol)},

      {"6.1", "DATA on stream 0", Frame(kData, 0, 0, "x"), ClosedWith(kProtocol)},
      {"6.1", "padded DATA", OpenPost() + PaddedData(1, "abc", 5, kEndStream), Served()},
      {"6.1", "padding as long as the frame",
       OpenPost() + Frame(kData, kPadded, 1,
                          "\x05"
                          "abcd"),
       ClosedWith(kProtocol)},
      {"6.1", "padding of 255 and nothing else", OpenPost() + PaddedData(1, "", 255, kEndStream), Served()},
      {"6.1", "no room for the padding's length", OpenPost() + Frame(kData, kPadded, 1, ""), ClosedWith(kProtocol)},
      {"6.2", "HEADERS on stream 0", Frame(kHeaders, kDone, 0, block), ClosedWith(kProtocol)},
      {"6.2", "padded HEADERS", Frame(kHeaders, kDone | kPadded, 1, "\x03" + block + "\0\0\0"s), Served()},
      {"6.2", "padding longer than HEADERS", Frame(kHeaders, kDone | kPadded, 1, "\xff" + block),
       ClosedWith(kProtocol)},
      {"6.2", "HEADERS with priority", Frame(kHeaders, kDone | kWithPriority, 1, Number(0, 4) + "\x0f" + block),
       Served()},
      {"6.3", "PRIORITY is taken and of no effect", Frame(kPriority, 0, 3, Number(0, 4) + "\x0f") + Headers(1, Get()),
       Served()},
      {"6.3", "PRIORITY on stream 0", Frame(kPriority, 0, 0, Number(0, 4) + "\x0f"), ClosedWith(kProtocol)},
      {"6.3", "PRIORITY of the wrong size", Frame(kPriority, 0, 1, "1234"), ClosedWith(kFrameSize)},
      {"6.4", "RST_STREAM on stream 0", Reset(0, 8), ClosedWith(kProtocol)},
      {"6.4", "RST_STREAM of an idle stream", Reset(1, 8), ClosedWith(kProtocol)},
      {"6.4", "RST_STREAM of the wrong size", OpenPost() + Frame(kRstStream, 0, 1, "123"), ClosedWith(kFrameSize)},
      {"6.5", "SETTINGS with an unknown one", Settings({{0x77, 1}}) + Headers(1, Get()), Served()},
      {"6.5", "an ACK with content", Frame(kSettings, kAck, 0, "123456"), ClosedWith(kFrameSize)},
      {"6.5", "SETTINGS on a stream", Frame(kSettings, 0, 1, ""), ClosedWith(kProtocol)},
      {"6.5", "SETTINGS of an odd size", Frame(kSettings, 0, 0, "12345"), ClosedWith(kFrameSize)},
      {"6.5.2", "ENABLE_PUSH of 2", Settings({{kEnablePush, 2}}), ClosedWith(kProtocol)},
      {"6.5.2", "a window of 2^31", Settings({{kInitialWindowSize, 0x80000000}}), ClosedWith(kFlowControl)},
      {"6.5.2", "frames smaller than 2^14", Settings({{kMaxFrameSize, 16383}}), ClosedWith(kProtocol)},
      {"6.5.2", "frames larger than 2^24-1", Settings({{kMaxFrameSize, 1 << 24}}), ClosedWith(kProtocol)},
      {"6.6", "PUSH_PROMISE from a client", OpenPost() + Frame(kPushPromise, kEndHeaders, 1, Number(2, 4) + block),
       ClosedWith(kProtocol)},
      {"6.7", "PING", Ping() + Headers(1, Get()), Served()},
      {"6.7", "PING on a stream", Frame(kPing, 0, 1, eight), ClosedWith(kProtocol)},
      {"6.7", "PING of the wrong size", Frame(kPing, 0, 0, "1234567"), ClosedWith(kFrameSize)},
      {"6.8", "GOAWAY on a stream", Frame(kGoaway, 0, 1, Number(0, 8)), ClosedWith(kProtocol)},
      {"6.8", "GOAWAY too short", Frame(kGoaway, 0, 0, "1234"), ClosedWith(kFrameSize)},
      {"6.9", "WINDOW_UPDATE of 0 for the connection", WindowUpdate(0, 0), ClosedWith(kProtocol)},
      {"6.9", "WINDOW_UPDATE of 0 for a stream", OpenPost() + WindowUpdate(1, 0), ClosedWith(kProtocol)},
      {"6.9", "WINDOW_UPDATE of the wrong size", Frame(kWindowUpdate, 0, 0, "123"), ClosedWith(kFrameSize)},
      {"6.9.1", "the connection's window beyond 2^31-1", WindowUpdate(0, 0x7fffffff), ClosedWith(kFlowControl)},
      {"6.9.1", "a stream's window beyond 2^31-1", OpenPost() + WindowUpdate(1, 0x7fffffff), ResetWith(kFlowControl)},
      {"6.10", "CONTINUATION on stream 0", Frame(kHeaders, 0, 1, half) + Frame(kContinuation, kEndHeaders, 0, rest),
       ClosedWith(kProtocol)},
      {"6.10", "CONTINUATION behind nothing", Frame(kContinuation, kEndHeaders, 1, block), ClosedWith(kProtocol)},
      {"6.10", "CONTINUATION behind a whole section", OpenPost() + Frame(kContinuation, kEndHeaders, 1, block),
       ClosedWith(kProtocol)},
      {"6.10", "CONTINUATION behind DATA", OpenPost() + Data(1, "x") + Frame(kContinuation, kEndHeaders, 1, block),
       ClosedWith(kProtocol)},
  };
}

std::vector<Case> States() {
  return {
      {"5.1", "DATA on an idle stream", Data(1, "x"), ClosedWith(kProtocol)},
      {"5.1", "WINDOW_UPDATE on an idle stream", WindowUpdate(1, 10), ClosedWith(kProtocol)},
      {"5.1", "DATA behind the end", OpenPost() + Data(1, "", kEndStream) + Data(1, "x"), ClosedWith(kStreamClosed)},
      {"5.1", "HEADERS behind the end", OpenPost() + Data(1, "", kEndStream) + Headers(1, Get()),
       ClosedWith(kStreamClosed)},
      {"5.1", "WINDOW_UPDATE behind the end", Headers(1, Get()) + WindowUpdate(1, 10), Served()},
      {"5.1", "RST_STREAM behind the end", Headers(1, Get()) + Reset(1, 8) + Headers(3, Get()), Served(3)},
      {"5.1", "WINDOW_UPDATE after a reset", OpenPost() + Reset(1, 8) + WindowUpdate(1, 10) + Headers(3, Get()),
       Served(3)},
      {"5.1.1", "an even stream", Headers(2, Get()), ClosedWith(kProtocol)},
      {"5.1.1", "a stream lower than the last is closed: nobody serves it", Headers(5, Get()) + Headers(3, Get()),
       Served(5), 3},
      {"5.1.1", "streams may be left out", Headers(7, Get()), Served(7)},
      {"5.5", "an unknown frame on a stream", OpenPost() + Frame(0x42, 0, 1, "x") + Data(1, "", kEndStream), Served()},
  };
}

std::vector<Case> Messages() {
  const Fields get = Get();
  const auto get_with = [&](std::string_view name, std::string_view value) {
    return Headers(1, With(get, name, value));
  };
  const auto refused = ResetWith(kProtocol);
  return {
      {"8.1", "a request with content", OpenPost() + Data(1, "abc", kEndStream), Served()},
      {"8.1", "trailers", OpenPost() + Data(1, "abc") + Headers(1, {{"x", "y"}}), Served()},
      {"8.1", "a second section without an end", OpenPost() + Headers(1, {{"x", "y"}}, kEndHeaders), refused},
      {"8.1", "a pseudo-field in trailers", OpenPost() + Headers(1, {{":path", "/"}}), refused},
      {"8.1.1", "less than content-length", OpenPost(1, {{"content-length", "4"}}) + Data(1, "abc", kEndStream),
       refused},
      {"8.1.1", "more than content-length", OpenPost(1, {{"content-length", "2"}}) + Data(1, "abc"), refused},
      {"8.1.1", "content-length and no content", Headers(1, Post("/", {{"content-length", "2"}})), refused},
      {"8.1.1", "as much as content-length in two frames",
       OpenPost(1, {{"content-length", "4"}}) + Data(1, "ab") + Data(1, "cd", kEndStream), Served()},
      {"8.1.1", "content-length twice", Headers(1, Post("/", {{"content-length", "0"}, {"content-length", "0"}})),
       refused},
      {"8.1.1", "content-length that is no number", Headers(1, Post("/", {{"content-length", "x"}})), refused},
      {"8.2.1", "an upper-case name", get_with("X-Upper", "y"), refused},
      {"8.2.1", "a name with a space", get_with("x y", "z"), refused},
      {"8.2.1", "a name with a colon inside", get_with("x:y", "z"), refused},
      {"8.2.1", "an empty name", get_with("", "z"), refused},
      {"8.2.1", "CR and LF in a value", get_with("x", "a\r\nb: c"), refused},
      {"8.2.1", "NUL in a value", get_with("x", "a\0b"s), refused},
      {"8.2.1", "a control character in a value", get_with("x", "a\x01"), refused},
      {"8.2.1", "white space before a value", get_with("x", " a"), refused},
      {"8.2.1", "white space behind a value", get_with("x", "a\t"), refused},
      {"8.2.1", "an empty value", get_with("x", ""), Served()},
      {"8.2.2", "connection", get_with("connection", "x"), refused},
      {"8.2.2", "keep-alive", get_with("keep-alive", "x"), refused},
      {"8.2.2", "proxy-connection", get_with("proxy-connection", "x"), refused},
      {"8.2.2", "transfer-encoding", get_with("transfer-encoding", "chunked"), refused},
      {"8.2.2", "upgrade", get_with("upgrade", "x"), refused},
      {"8.2.2", "te: trailers", get_with("te", "trailers"), Served()},
      {"8.2.2", "te with anything else", get_with("te", "trailers, deflate"), refused},
      {"8.3", "an unknown pseudo-field", get_with(":x", "y"), refused},
      {"8.3", "a response's pseudo-field", get_with(":status", "200"), refused},
      {"8.3", "a pseudo-field behind a field",
       Headers(1, {{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {"x", "y"}, {":path", "/"}}), refused},
      {"8.3.1", "no :method", Headers(1, Without(get, ":method")), refused},
      {"8.3.1", "no :scheme", Headers(1, Without(get, ":scheme")), refused},
      {"8.3.1", "no :path", Headers(1, Without(get, ":path")), refused},
      {"8.3.1", "an empty :path", Headers(1, Get("")), refused},
      {"8.3.1", "a :path without a slash", Headers(1, Get("x")), refused},
      {"8.3.1", ":method twice", Headers(1, With(get, ":method", "GET")), refused},
      {"8.3.1", ":scheme twice", Headers(1, With(get, ":scheme", "http")), refused},
      {"8.3.1", ":path twice", Headers(1, With(get, ":path", "/")), refused},
      {"8.3.1", ":authority twice", Headers(1, With(get, ":authority", "a.example")), refused},
      {"8.3.1", "a :method that is no token", Headers(1, Instead(get, ":method", "G T")), refused},
      {"8.3.1", "* for GET", Headers(1, Get("*")), refused},
      {"8.3.1", "* for OPTIONS", Headers(1, Instead(Get("*"), ":method", "OPTIONS")), Served()},
      {"8.3.1", "host like :authority", get_with("host", "A.example"), Served()},
      {"8.3.1", "host unlike :authority", get_with("host", "b.example"), refused},
      {"8.3.1", "host twice", Headers(1, With(With(get, "host", "a.example"), "host", "a.example")), refused},
      {"8.3.1", "host alone", Headers(1, With(Without(get, ":authority"), "host", "a.example")), Served()},
      {"8.3.1", "neither host nor :authority", Headers(1, Without(get, ":authority")), refused},
      {"8.5", "CONNECT with :scheme", Headers(1, With(Connect("a.example:1"), ":scheme", "http"), kEndHeaders),
       refused},
      {"8.5", "CONNECT with :path", Headers(1, With(Connect("a.example:1"), ":path", "/"), kEndHeaders), refused},
      {"8.5", "CONNECT without :authority", Headers(1, {{":method", "CONNECT"}}, kEndHeaders), refused},
      {"8.5", "CONNECT with content-length",
       Headers(1, With(Connect("a.example:1"), "content-length", "5"), kEndHeaders), refused},
      {"8.5", "CONNECT and a second section",
       Headers(1, Connect("a.example:1"), kEndHeaders) + Headers(1, {{"x", "y"}}), refused},
      {"E4", ":protocol without CONNECT", get_with(":protocol", "websocket"), refused},
  };
}

// RFC 8441 4.
std::vector<Case> ExtendedConnect() {
  const Outcome refused = ResetWith(kProtocol);
  const Outcome unserved = ResetWith(kRefused);  // by whoever serves here; 501 by the proxy
  const Fields websocket = {{":method", "CONNECT"},
                            {":protocol", "websocket"},
                            {":scheme", "https"},
                            {":authority", "a.example"},
                            {":path", "/chat"}};
  const auto open = [](const Fields& fields) { return Headers(1, fields, kEndHeaders); };
  return {
      {"E4", "websocket", open(websocket), Served()},
      {"E4", "in other letters", open(Instead(websocket, ":protocol", "WebSocket")), Served()},
      {"E4", "ended at once", Headers(1, websocket), Served()},
      {"E4", "DATA before the answer", open(websocket) + Data(1, "early"), Served()},
      {"E4", "another protocol", open(Instead(websocket, ":protocol", "connect-udp")), unserved},
      {"E4", "a :protocol that is no token", open(Instead(websocket, ":protocol", "web socket")), unserved},
      {"E4", "an empty :protocol", open(Instead(websocket, ":protocol", "")), refused},
      {"E4", ":protocol twice", open(With(websocket, ":protocol", "websocket")), refused},
      {"E4", "no :scheme", open(Without(websocket, ":scheme")), refused},
      {"E4", "no :path", open(Without(websocket, ":path")), refused},
      {"E4", "no :authority", open(Without(websocket, ":authority")), refused},
      {"E4", "host unlike :authority", open(With(websocket, "host", "b.example")), refused},
      {"E4", "upgrade", open(With(websocket, "upgrade", "websocket")), refused},
      {"E4", "connection", open(With(websocket, "connection", "upgrade")), refused},
      {"E4", "content-length", open(With(websocket, "content-length", "5")), refused},
  };
}

std::vector<Case> Hpack() {
  // A literal with a name from the table: `index` in the static one, then the value.
  const auto indexed_name = [](char index, std::string_view value) {
    return index + std::string(1, static_cast<char>(value.size())) + std::string(value);
  };
  const std::string pseudo = "\x82\x86\x84"s + indexed_name('\x01', "a.example");  // GET, http, /; :authority
  const auto section = [](const std::string& block) { return Frame(kHeaders, kDone, 1, block); };
  return {
      {"H6.1", "indexed fields", section(pseudo), Served()},
      {"H6.1", "index 0", section(pseudo + "\x80"), ClosedWith(kCompression)},
      {"H2.3.3", "an index beyond both tables", section(pseudo + "\xfe"), ClosedWith(kCompression)},
      {"H6.2", "a name's index beyond both tables",
       section(pseudo + "\x7f\x7f"
                        "\x01x"),
       ClosedWith(kCompression)},
      {"H6.2.1", "a literal that is put into the table, used again", section(pseudo + "\x40\x01x\x01y" + "\xbe"),
       Served()},
      {"H6.3", "the table's size changed first", section("\x20" + pseudo), Served()},
      {"H6.3", "the table's size changed behind a field", section(pseudo + "\x20"), ClosedWith(kCompression)},
      {"H6.3", "a table larger than was allowed", section("\x3f\xe2\x1f" + pseudo), ClosedWith(kCompression)},
      {"H5.1", "an integer that never ends", section(pseudo + "\x1f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
       ClosedWith(kCompression)},
      {"H5.2", "Huffman padding longer than 7 bits", section(pseudo + "\x10\x01x\x84\x49\x50\x9f\xff"),
       ClosedWith(kCompression)},
      {"H5.2", "Huffman padding of zeros", section(pseudo + "\x10\x01x\x83\x49\x50\x90"), ClosedWith(kCompression)},
      {"H5.2", "Huffman's EOS", section(pseudo + "\x10\x01x\x84\xff\xff\xff\xff"), ClosedWith(kCompression)},
      {"H4.1", "a string cut short", section(pseudo + "\x10\x01x\x20y"), ClosedWith(kCompression)},
  };
}

class Http2Conformance : public Http2Bench {
 protected:
  Http2Conformance() {
    serve_ = [this](std::unique_ptr<Http2ServerStream> stream) { served_.Start(Serve(std::move(stream))); };
  }
  ~Http2Conformance() override { served_.Clear(); }

  static Task<void> Serve(std::unique_ptr<Http2ServerStream> stream) {
    Request request = stream->TakeRequest();
    if (request.body != nullptr) {
      for (;;) {
        const Chunk chunk = co_await request.body->Read();
        if (chunk.kind == Chunk::kFailed) co_return;
        if (chunk.kind == Chunk::kEnd) break;
      }
    }
    if (stream->refused()) co_return stream->RefuseUnprocessed();
    if (request.head.method == "CONNECT") co_await GateAwaiter(stream->GoneGate());
    Head head;
    head.status = 200;
    co_await stream->Respond(head, nullptr);
  }

  static bool Has(const std::vector<Got>& frames, uint8_t type, uint32_t stream) {
    return std::any_of(frames.begin(), frames.end(),
                       [&](const Got& got) { return got.type == type && got.stream == stream; });
  }

  void Judge(const Case& item) {
    Connect();
    Say(item.bytes);
    std::vector<Got> frames = Hear();
    const std::string heard = Describe(frames);
    const bool closed = ended_by_goaway(frames);
    switch (item.outcome.kind) {
      case Outcome::kServed: {
        EXPECT_TRUE(Has(frames, kHeaders, item.outcome.stream)) << heard;
        EXPECT_FALSE(item.silent != 0 && Has(frames, kHeaders, item.silent)) << heard;
        EXPECT_FALSE(closed) << heard;
        break;
      }
      case Outcome::kReset: {
        const auto at =
            std::find_if(frames.begin(), frames.end(), [](const Got& got) { return got.type == kRstStream; });
        ASSERT_NE(at, frames.end()) << heard;
        EXPECT_EQ(at->stream, item.outcome.stream) << heard;
        EXPECT_EQ(at->code(), item.outcome.code) << heard;
        EXPECT_FALSE(Has(frames, kHeaders, item.outcome.stream)) << heard;
        EXPECT_FALSE(closed) << heard;
        break;
      }
      case Outcome::kClosed:
        ASSERT_TRUE(closed) << heard;
        EXPECT_EQ(frames.back().code(), item.outcome.code) << heard;
        client_->Finish();
        End();
        return;
    }
    // No other stream suffers.
    Say(Headers(101, Get()));
    const std::vector<Got> after = Hear();
    EXPECT_TRUE(Has(after, kHeaders, 101)) << heard << Describe(after);
  }
  static bool ended_by_goaway(const std::vector<Got>& frames) {
    return !frames.empty() && frames.back().type == kGoaway;
  }

  void JudgeAll(const std::vector<Case>& cases) {
    for (const Case& item : cases) {
      SCOPED_TRACE(Cat(item.section, ": ", item.what));
      Judge(item);
      served_.Clear();
    }
  }

  Nursery served_;
};

TEST_F(Http2Conformance, Frames) { JudgeAll(Frames()); }
TEST_F(Http2Conformance, States) { JudgeAll(States()); }
TEST_F(Http2Conformance, Messages) { JudgeAll(Messages()); }
TEST_F(Http2Conformance, Hpack) { JudgeAll(Hpack()); }
TEST_F(Http2Conformance, ExtendedConnect) { JudgeAll(ExtendedConnect()); }

TEST_F(Http2Conformance, ExtendedConnectThatWasNotOfferedIsMalformed) {
  limits_.extended_connect = false;
  for (const Case& item : ExtendedConnect()) {
    SCOPED_TRACE(item.what);
    Judge({item.section, item.what, item.bytes, ResetWith(kProtocol)});
  }
}

TEST_F(Http2Conformance, ThePrefaceMustBeWhole) {
  Open();
  Say("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + Settings());
  client_->Finish();
  EXPECT_EQ(End().fault, Fault::kHttp2Protocol);
  Open();
  Say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client_->Finish();
  EXPECT_EQ(End().fault, Fault::kHttp2Protocol);
  Open();
  Say(std::string(kPreface) + Ping());  // SETTINGS must come first
  client_->Finish();
  EXPECT_EQ(End().fault, Fault::kHttp2Protocol);
}

TEST_F(Http2Conformance, ThePrefaceMayComeInPieces) {
  Open();
  for (const char c : std::string(kPreface) + Settings() + Headers(1, Get())) Say({&c, 1});
  EXPECT_TRUE(Has(Hear(), kHeaders, 1));
}

TEST_F(Http2Conformance, AHeadOfSeveralFramesMayComeInPieces) {
  Connect();
  std::string head = Frame(kHeaders, kEndStream, 1, Block(Get()));
  for (int n = 0; n < 5; ++n) head += Frame(kContinuation, 0, 1, "");
  for (const char c : head + Frame(kContinuation, kEndHeaders, 1, "")) Say({&c, 1});
  EXPECT_TRUE(Has(Hear(), kHeaders, 1));
}

TEST_F(Http2Conformance, SettingsAndPingAreConfirmed) {
  Connect();
  Say(Settings({{kHeaderTableSize, 0}}) + Ping("abcdefgh"));
  std::vector<Got> frames = Hear(true);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].type, kSettings);
  EXPECT_EQ(frames[0].flags, kAck);
  EXPECT_EQ(frames[1].type, kPing);
  EXPECT_EQ(frames[1].payload, "abcdefgh");
  EXPECT_EQ(frames[1].flags, kAck);
}

TEST_F(Http2Conformance, OneStreamTooManyIsRefusedAlone) {
  limits_.streams = 3;
  serve_ = [this](std::unique_ptr<Http2ServerStream> stream) { streams_.push_back(std::move(stream)); };
  Connect();
  std::string all;
  for (uint32_t id = 1; id <= 13; id += 2) all += Headers(id, Get());
  Say(all);
  EXPECT_EQ(streams_.size(), 3u);
  EXPECT_EQ(Heard(), "RST_STREAM 7 code 7\nRST_STREAM 9 code 7\nRST_STREAM 11 code 7\nRST_STREAM 13 code 7\n");
  EXPECT_EQ(hits(Http2Limit::kStreams), 4);
  streams_.clear();
  Hear();
  Say(Headers(15, Get()));
  EXPECT_EQ(streams_.size(), 1u);
}

TEST_F(Http2Conformance, AWindowMayBecomeNegative) {
  serve_ = [this](std::unique_ptr<Http2ServerStream> stream) { streams_.push_back(std::move(stream)); };
  Connect({{kInitialWindowSize, 10}});
  Say(Headers(1, Get()));
  const std::unique_ptr<Body> body = MakeBody(std::string(20, 'x'));
  Driven responding(loop_, streams_[0]->Respond(Status(200), body.get()));
  EXPECT_EQ(Heard(), "HEADERS 1 :status=200 content-length=20\nDATA 1 (10)\n");
  Say(Settings({{kInitialWindowSize, 5}}));  // now -5
  EXPECT_EQ(Heard(), "");
  Say(WindowUpdate(1, 5));
  EXPECT_EQ(Heard(), "");
  Say(WindowUpdate(1, 1));
  EXPECT_EQ(Heard(), "DATA 1 (1)\n");
  Say(Settings({{kInitialWindowSize, 100}}));
  EXPECT_EQ(Heard(), "DATA 1 (9) END_STREAM\n");
}

TEST_F(Http2Conformance, MoreDataThanAWindowIsAnErrorOfFlowControl) {
  limits_.stream_window = 65535;
  serve_ = [this](std::unique_ptr<Http2ServerStream> stream) { streams_.push_back(std::move(stream)); };
  Connect();
  Say(OpenPost());
  std::string all;
  for (int i = 0; i < 5; ++i) all += Data(1, std::string(16000, 'x'));
  Say(all);
  const std::vector<Got> frames = Hear();
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(frames.back().code(), kFlowControl);
}

}  // namespace
}  // namespace egret
