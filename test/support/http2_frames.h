// HTTP/2 frames as a test writes and reads them, octet by octet, with nothing of the codec under test: what no honest
// peer would send can be written, too.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egret::h2 {

enum Type : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kRstStream = 3,
  kSettings = 4,
  kPushPromise = 5,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
enum Flag : uint8_t { kEndStream = 1, kAck = 1, kEndHeaders = 4, kPadded = 8, kWithPriority = 0x20 };
enum Setting : uint16_t {
  kHeaderTableSize = 1,
  kEnablePush = 2,
  kMaxConcurrentStreams = 3,
  kInitialWindowSize = 4,
  kMaxFrameSize = 5,
  kMaxHeaderListSize = 6,
  kEnableConnectProtocol = 8,
  kNoRfc7540Priorities = 9,
};

using Fields = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Big-endian.
std::string Number(uint64_t value, size_t bytes);
uint64_t NumberAt(std::string_view bytes, size_t at, size_t size);
std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload);
// Literal fields, never indexed, without Huffman.
std::string Block(const Fields& fields);

std::string Settings(const std::vector<std::pair<uint16_t, uint32_t>>& settings = {});
std::string SettingsAck();
std::string Headers(uint32_t stream, const Fields& fields, uint8_t flags = kEndHeaders | kEndStream);
std::string Data(uint32_t stream, std::string_view bytes, uint8_t flags = 0);
std::string PaddedData(uint32_t stream, std::string_view bytes, uint8_t padding, uint8_t flags = 0);
std::string Reset(uint32_t stream, uint32_t code);
std::string WindowUpdate(uint32_t stream, uint32_t bytes);
std::string Ping(std::string_view eight = "12345678", uint8_t flags = 0);
std::string Goaway(uint32_t last_stream, uint32_t code);

// A request's pseudo-fields, and more fields behind them.
Fields Get(std::string_view path = "/", const Fields& more = {});
Fields Post(std::string_view path = "/", const Fields& more = {});
Fields Connect(std::string_view authority);

struct Got {
  uint8_t type;
  uint8_t flags;
  uint32_t stream;
  std::string payload;
  Fields fields;  // of HEADERS with what CONTINUATION adds

  bool end_stream() const { return (flags & kEndStream) != 0; }
  uint32_t code() const;  // of RST_STREAM and GOAWAY
  std::string_view Field(std::string_view name) const;
};

// Reads what the other end sent, in order; remembers its compression state.
class Reader {
 public:
  Reader();
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Whole frames; what is cut short waits for more. With `preface`, a client's is expected first.
  std::vector<Got> Read(std::string_view bytes);
  void ExpectPreface() { preface_ = true; }

 private:
  struct Inflater;
  std::unique_ptr<Inflater> inflater_;
  std::string rest_;
  bool preface_ = false;
};

// "HEADERS 1 END_STREAM :status=200" and so on: for a failed test's message.
std::string Describe(const std::vector<Got>& frames);

}  // namespace egret::h2
