#include "source/tls/client_hello.h"

#include <algorithm>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr uint8_t kHandshakeRecord = 22;
constexpr uint8_t kMajorVersion = 3;  // of every version from SSL 3.0 to TLS 1.3
constexpr uint8_t kClientHelloMessage = 1;
constexpr size_t kRecordHeaderBytes = 5;
constexpr size_t kMessageHeaderBytes = 4;
constexpr size_t kMaxRecordBytes = size_t{1} << 14;
constexpr size_t kMaxNameBytes = 255;

enum ExtensionType : uint16_t {
  kServerName = 0,
  kSupportedGroups = 10,
  kEcPointFormats = 11,
  kSignatureAlgorithms = 13,
  kAlpn = 16,
  kPreSharedKey = 41,
  kSupportedVersions = 43,
  kEncryptedClientHello = 0xfe0d,
};

// 0x0a0a, 0x1a1a ... 0xfafa (RFC 8701 2).
constexpr bool IsGrease(uint16_t value) { return (value & 0x0f0f) == 0x0a0a && (value >> 8) == (value & 0xff); }

// Takes numbers and vectors from the front of a view. Asking for more than is left fails once and for all: from then on
// everything reads as zero or empty, and Done() and ok() are false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool empty() const { return bytes_.empty(); }
  bool Done() const { return ok_ && bytes_.empty(); }

  std::string_view Take(size_t count) {
    if (count > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  uint8_t U8() { return static_cast<uint8_t>(Number(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Number(2)); }
  uint32_t U24() { return Number(3); }
  std::string_view Vector8() { return Take(U8()); }
  std::string_view Vector16() { return Take(U16()); }

 private:
  uint32_t Number(size_t bytes) {
    uint32_t value = 0;
    for (const char c : Take(bytes)) value = value << 8 | static_cast<uint8_t>(c);
    return value;
  }

  std::string_view bytes_;
  bool ok_ = true;
};

// A vector of 16-bit values that may not be empty.
bool ReadValues(std::string_view bytes, std::vector<uint16_t>& into) {
  if (bytes.empty() || bytes.size() % 2 != 0) return false;
  into.reserve(bytes.size() / 2);
  for (Reader in(bytes); !in.empty();) {
    const uint16_t value = in.U16();
    if (!IsGrease(value)) into.push_back(value);
  }
  return true;
}

// RFC 6066 3. The list may hold one name of each type and host_name is the only type there is: a second entry is a way
// to show one name here and another to the server.
bool ReadServerName(std::string_view body, ClientHello& out) {
  Reader in(body);
  Reader list(in.Vector16());
  if (!in.Done()) return false;
  const uint8_t type = list.U8();
  const std::string_view name = list.Vector16();
  if (!list.Done() || type != 0 || name.empty() || name.size() > kMaxNameBytes) return false;
  if (!std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < '\x7f'; })) return false;
  out.sni = ToLower(name);
  return true;
}

// RFC 7301 3.1; GREASE values are two bytes here as well.
bool ReadAlpn(std::string_view body, ClientHello& out) {
  Reader in(body);
  Reader list(in.Vector16());
  if (!in.Done() || list.empty()) return false;
  while (!list.empty()) {
    const std::string_view name = list.Vector8();
    if (name.empty()) return false;
    if (name.size() == 2 && IsGrease(Reader(name).U16())) continue;
    out.alpn.emplace_back(name);
  }
  return list.ok();
}

// RFC 9849 5: an outer one has a cipher suite, a config id, a key and a payload; an inner one is a single byte.
bool ReadEch(std::string_view body, ClientHello& out) {
  out.ech = true;
  Reader in(body);
  const uint8_t type = in.U8();
  if (type == 1) return in.Done();
  in.Take(5);
  in.Vector16();
  const std::string_view payload = in.Vector16();
  return in.Done() && type == 0 && !payload.empty();
}

bool ReadPointFormats(std::string_view body, ClientHello& out) {
  Reader in(body);
  const std::string_view formats = in.Vector8();
  out.ec_point_formats.assign(formats.begin(), formats.end());
  return in.Done() && !formats.empty();
}

bool ReadExtension(uint16_t type, std::string_view body, ClientHello& out) {
  Reader in(body);
  switch (type) {
    case kServerName:
      return ReadServerName(body, out);
    case kAlpn:
      return ReadAlpn(body, out);
    case kSupportedVersions:
      return ReadValues(in.Vector8(), out.versions) && in.Done();
    case kSupportedGroups:
      return ReadValues(in.Vector16(), out.groups) && in.Done();
    case kSignatureAlgorithms:
      return ReadValues(in.Vector16(), out.signature_algorithms) && in.Done();
    case kEcPointFormats:
      return ReadPointFormats(body, out);
    case kEncryptedClientHello:
      return ReadEch(body, out);
    default:
      return true;
  }
}

bool HasDuplicates(std::vector<uint16_t> types) {
  std::sort(types.begin(), types.end());
  return std::adjacent_find(types.begin(), types.end()) != types.end();
}

// Twice the same extension (RFC 8446 4.2) would leave open which of two names the server reads.
bool ReadExtensions(std::string_view bytes, ClientHello& out) {
  std::vector<uint16_t> types;
  for (Reader in(bytes); !in.empty();) {
    const uint16_t type = in.U16();
    const std::string_view body = in.Vector16();
    if (!in.ok() || !ReadExtension(type, body, out)) return false;
    if (type == kPreSharedKey && !in.empty()) return false;  // always the last one (RFC 8446 4.2.11)
    types.push_back(type);
    if (!IsGrease(type)) out.extensions.push_back(type);
  }
  return !HasDuplicates(std::move(types));
}

bool ReadHello(std::string_view body, ClientHello& out) {
  Reader in(body);
  out.legacy_version = in.U16();
  in.Take(32);  // random
  const std::string_view session_id = in.Vector8();
  if (!ReadValues(in.Vector16(), out.cipher_suites)) return false;
  const std::string_view compressions = in.Vector8();
  if (!in.ok() || out.legacy_version >> 8 != kMajorVersion || session_id.size() > 32) return false;
  if (compressions.find('\0') == std::string_view::npos) return false;
  if (in.empty()) return true;  // extensions are younger than the hello
  const std::string_view extensions = in.Vector16();
  return in.Done() && ReadExtensions(extensions, out);
}

// Finds the handshake message that `seen` begins with by its record headers; fragments are joined once all are there.
class RecordWalk {
 public:
  RecordWalk(std::string_view seen, size_t max_bytes) : seen_(seen), max_bytes_(max_bytes) {}

  // kHello once the records of the whole message are there.
  HelloState Run() {
    for (records_ = 1; records_ <= kMaxHelloRecords; ++records_) {
      if (const HelloState state = NextRecord(); state != HelloState::kNeedMore) return state;
      if (at_ >= seen_.size()) return HelloState::kNeedMore;
    }
    return HelloState::kTooLarge;
  }

  // After kHello: the message without its header.
  std::string_view Body(std::string& joined) const {
    if (records_ == 1) return seen_.substr(kRecordHeaderBytes + kMessageHeaderBytes, length_);
    joined.reserve(kMessageHeaderBytes + length_);
    for (size_t at = 0; at < at_;) {
      const size_t size = RecordBytes(at);
      joined.append(seen_.substr(at + kRecordHeaderBytes, size));
      at += kRecordHeaderBytes + size;
    }
    return std::string_view(joined).substr(kMessageHeaderBytes);
  }

 private:
  uint8_t ByteAt(size_t at) const { return static_cast<uint8_t>(seen_[at]); }
  size_t RecordBytes(size_t at) const { return static_cast<size_t>(ByteAt(at + 3) << 8 | ByteAt(at + 4)); }

  // kNeedMore is also said of a whole record that does not end the message. Judges as early as a byte allows.
  HelloState NextRecord() {
    const HelloState broken = at_ == 0 ? HelloState::kNotTls : HelloState::kMalformed;
    const size_t left = seen_.size() - at_;
    if (left > 0 && ByteAt(at_) != kHandshakeRecord) return broken;
    if (left > 1 && ByteAt(at_ + 1) != kMajorVersion) return broken;
    if (left < kRecordHeaderBytes) return Stop();
    const size_t size = RecordBytes(at_);
    if (size == 0 || size > kMaxRecordBytes) return HelloState::kMalformed;  // RFC 8446 5.1
    const std::string_view fragment = seen_.substr(at_ + kRecordHeaderBytes, size);
    if (const HelloState state = ReadMessageHeader(fragment); state != HelloState::kNeedMore) return state;
    gathered_ += size;
    // Whatever follows the hello comes in a record of its own: it waits for the server's answer, or is another type.
    if (header_bytes_ == kMessageHeaderBytes && gathered_ > kMessageHeaderBytes + length_)
      return HelloState::kMalformed;
    if (fragment.size() < size) return Stop();
    at_ += kRecordHeaderBytes + size;
    const bool whole = header_bytes_ == kMessageHeaderBytes && gathered_ == kMessageHeaderBytes + length_;
    return whole ? HelloState::kHello : HelloState::kNeedMore;
  }

  // The type and the length may themselves lie in several records.
  HelloState ReadMessageHeader(std::string_view fragment) {
    for (const char c : fragment) {
      if (header_bytes_ == kMessageHeaderBytes) break;
      const auto byte = static_cast<uint8_t>(c);
      if (header_bytes_ == 0 && byte != kClientHelloMessage) return HelloState::kMalformed;
      if (header_bytes_ > 0) length_ = length_ << 8 | byte;
      ++header_bytes_;
    }
    const bool known = header_bytes_ == kMessageHeaderBytes;
    return known && length_ > max_bytes_ ? HelloState::kTooLarge : HelloState::kNeedMore;
  }

  HelloState Stop() {
    at_ = seen_.size();
    return HelloState::kNeedMore;
  }

  const std::string_view seen_;
  const size_t max_bytes_;
  size_t at_ = 0;
  size_t records_ = 0;
  size_t header_bytes_ = 0;
  size_t length_ = 0;    // of the message, without its header
  size_t gathered_ = 0;  // bytes of the message in the records up to here, header included
};

constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0";
constexpr size_t kMaxMethodBytes = 24;
constexpr size_t kMaxUndecidedBytes = 1024;

constexpr bool IsTokenChar(char c) {
  const char lower = AsciiLower(c);
  if (IsAsciiDigit(c) || (lower >= 'a' && lower <= 'z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// `seen` begins with `whole` as far as it goes.
bool AgreesWith(std::string_view seen, std::string_view whole) {
  const size_t common = std::min(seen.size(), whole.size());
  return seen.substr(0, common) == whole.substr(0, common);
}

// What follows the method and its space. A target has no spaces and is at least one byte; "HTTP/" comes after it.
// Behind a path it is HTTP whatever comes: HTTP/0.9, several spaces and controls make requests to some servers, so the
// reader of requests refuses them, and they are no way past the rules for requests.
Sniff ClassifyTarget(std::string_view rest) {
  const size_t spaces = std::min(rest.find_first_not_of(' '), rest.size());
  rest.remove_prefix(spaces);
  if (spaces >= kMaxUndecidedBytes) return Sniff::kHttp1;
  if (rest.empty()) return Sniff::kNeedMore;
  const bool path = rest.front() == '/' || EqualsIgnoreCase(rest.substr(0, 7), "http://");
  const Sniff otherwise = path ? Sniff::kHttp1 : Sniff::kOther;
  const size_t end = rest.find_first_of(" \r\n");
  const std::string_view target = rest.substr(0, end);
  const auto visible = [](char c) { return static_cast<uint8_t>(c) > ' ' && c != '\x7f'; };
  if (!std::all_of(target.begin(), target.end(), visible)) return otherwise;
  if (end == std::string_view::npos) return rest.size() < kMaxUndecidedBytes ? Sniff::kNeedMore : Sniff::kHttp1;
  if (end == 0 || rest[end] != ' ') return otherwise;
  constexpr std::string_view kVersion = "HTTP/";
  const std::string_view version = rest.substr(end + 1);
  if (!AgreesWith(version, kVersion)) return otherwise;
  return version.size() < kVersion.size() ? Sniff::kNeedMore : Sniff::kHttp1;
}

Sniff ClassifyLine(std::string_view line) {
  const size_t method = static_cast<size_t>(std::find_if_not(line.begin(), line.end(), IsTokenChar) - line.begin());
  if (method > kMaxMethodBytes) return Sniff::kOther;
  if (method == line.size()) return Sniff::kNeedMore;
  if (method == 0 || line[method] != ' ') return Sniff::kOther;
  return ClassifyTarget(line.substr(method + 1));
}

}  // namespace

HelloState ParseClientHello(std::string_view seen, ClientHello& out, size_t max_bytes) {
  RecordWalk walk(seen, max_bytes);
  const HelloState state = walk.Run();
  if (state != HelloState::kHello) return state;
  std::string joined;
  ClientHello hello;
  if (!ReadHello(walk.Body(joined), hello)) return HelloState::kMalformed;
  out = std::move(hello);
  return HelloState::kHello;
}

Sniff Classify(std::string_view seen) {
  if (seen.empty()) return Sniff::kNeedMore;
  if (static_cast<uint8_t>(seen[0]) == kHandshakeRecord) {
    if (seen.size() == 1) return Sniff::kNeedMore;
    return static_cast<uint8_t>(seen[1]) == kMajorVersion ? Sniff::kTls : Sniff::kOther;
  }
  if (AgreesWith(seen, kHttp2Preface))
    return seen.size() < kHttp2Preface.size() ? Sniff::kNeedMore : Sniff::kHttp2Preface;
  const size_t begin = seen.find_first_not_of("\r\n");
  if (std::min(begin, seen.size()) >= kMaxUndecidedBytes) return Sniff::kHttp1;
  if (begin == std::string_view::npos) return Sniff::kNeedMore;
  return ClassifyLine(seen.substr(begin));
}

bool LooksLikeHttp1(std::string_view seen) { return Classify(seen) == Sniff::kHttp1; }

}  // namespace egret
