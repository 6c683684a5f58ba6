#include "source/policy/path.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr int kMaxDecodings = 8;  // no origin decodes more often

int HexValue(char c) {
  if (IsAsciiDigit(c)) return c - '0';
  c = AsciiLower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The value of the escape "%hh" at `at`.
std::optional<uint8_t> Escape(std::string_view text, size_t at) {
  if (at + 2 >= text.size() || text[at] != '%') return std::nullopt;
  const int high = HexValue(text[at + 1]);
  const int low = HexValue(text[at + 2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<uint8_t>(high << 4 | low);
}

bool IsControl(uint8_t byte) { return byte < 0x20 || byte == 0x7f; }

// A lead byte that, with what may follow it, is no shortest form (RFC 3629 3).
bool IsOverlong(uint8_t lead, uint8_t second) {
  return lead == 0xc0 || lead == 0xc1 || lead >= 0xf5 || (lead == 0xe0 && second < 0xa0) ||
         (lead == 0xf0 && second < 0x90);
}

// Follows one segment: what is left of it once ";params" are dropped.
class Segment {
 public:
  void Add(uint8_t byte) {
    if (byte == ';') params_ = true;
    if (params_) return;
    ++length_;
    if (byte != '.') dots_only_ = false;
  }
  bool IsDots() const { return dots_only_ && (length_ == 1 || length_ == 2); }
  bool IsEmpty() const { return length_ == 0; }
  bool HasParams() const { return params_; }

 private:
  size_t length_ = 0;
  bool dots_only_ = true;
  bool params_ = false;
};

struct Byte {
  uint8_t value;
  size_t length;  // 1, or 3 for an escape
};

std::optional<Byte> Next(std::string_view path, size_t at) {
  if (path[at] != '%') return Byte{static_cast<uint8_t>(path[at]), 1};
  const auto value = Escape(path, at);
  if (!value) return std::nullopt;
  return Byte{*value, 3};
}

// Whether this byte, as such or escaped, may be read as something else.
bool IsTrouble(std::string_view path, size_t at, Byte byte) {
  const bool escaped = byte.length == 3;
  if (IsControl(byte.value) || byte.value == '\\') return true;
  if (escaped && byte.value == '/') return true;
  if (!escaped && (byte.value == '?' || byte.value == '#' || byte.value == ' ')) return true;
  const size_t after = at + byte.length;
  if (escaped && byte.value == '%')  // "%25" and two hex digits: an escape of an escape
    return after + 1 < path.size() && HexValue(path[after]) >= 0 && HexValue(path[after + 1]) >= 0;
  if (byte.value < 0x80) return false;
  const auto second = after < path.size() ? Next(path, after) : std::nullopt;
  return IsOverlong(byte.value, second ? second->value : 0);
}

std::string DecodeOnce(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto value = Escape(text, at);
    out += value ? static_cast<char>(*value) : text[at];
    at += value ? 3 : 1;
  }
  return out;
}

// Two- and three-byte overlong forms as the ASCII character they were made from.
std::string WithoutOverlongs(std::string_view text) {
  std::string out;
  const auto byte = [&](size_t at) { return at < text.size() ? static_cast<uint8_t>(text[at]) : uint8_t{0}; };
  for (size_t at = 0; at < text.size();) {
    const bool two = byte(at) == 0xc0 || byte(at) == 0xc1;
    const bool three = byte(at) == 0xe0 && byte(at + 1) >= 0x80 && byte(at + 1) < 0xa0;
    if (two && at + 1 < text.size()) {
      out += static_cast<char>((byte(at) & 0x01u) << 6 | (byte(at + 1) & 0x3fu));
      at += 2;
    } else if (three && at + 2 < text.size() && byte(at + 1) < 0x82) {
      out += static_cast<char>((byte(at + 1) & 0x01u) << 6 | (byte(at + 2) & 0x3fu));
      at += 3;
    } else {
      out += text[at++];
    }
  }
  return out;
}

// Bounded, since "%25252525..." loses one level a round.
std::string DecodeFully(std::string_view text) {
  std::string out(text);
  for (int round = 0; round < kMaxDecodings; ++round) {
    std::string next = WithoutOverlongs(DecodeOnce(out));
    const bool same = next.size() == out.size();  // what changes gets shorter
    out = std::move(next);
    if (same) break;
  }
  return out;
}

std::string DropParams(std::string_view text) {
  std::string out;
  bool dropping = false;
  for (const char c : text) {
    dropping = c != '/' && (dropping || c == ';');
    if (!dropping) out += c;
  }
  return out;
}

std::string MergeSlashes(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '/' || !out.ends_with('/')) out += c;
  return out;
}

// RFC 3986 5.2.4, with empty segments as segments.
std::string ResolveDots(std::string_view text) {
  std::string out;
  bool open = false;  // the path ends in a slash
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text[at] == '/' ? at + 1 : at;
    const size_t end = std::min(text.find('/', begin), text.size());
    const std::string_view segment = text.substr(begin, end - begin);
    open = segment == "." || segment == "..";
    if (segment == "..") {
      const size_t parent = out.rfind('/');
      out.resize(parent == std::string::npos ? 0 : parent);
    } else if (segment != ".") {
      out += '/';
      out += segment;
    }
    at = end;
  }
  if (open || out.empty()) out += '/';
  return out;
}

void AddReading(std::vector<std::string>& readings, std::string_view path, std::string reading) {
  if (reading != path && std::find(readings.begin(), readings.end(), reading) == readings.end())
    readings.push_back(std::move(reading));
}

bool NeedsReading(std::string_view path) {
  if (path.find_first_of("%\\;") != std::string_view::npos) return true;
  return path.find("//") != std::string_view::npos || path.find("/.") != std::string_view::npos ||
         path.find('\0') != std::string_view::npos ||
         std::any_of(path.begin(), path.end(), [](char c) { return static_cast<uint8_t>(c) >= 0xc0; });
}

}  // namespace

bool IsAmbiguous(std::string_view path) {
  if (path == "*") return false;
  if (!path.starts_with('/')) return true;
  Segment segment;
  for (size_t at = 1; at < path.size();) {
    const auto byte = Next(path, at);
    if (!byte || IsTrouble(path, at, *byte)) return true;
    at += byte->length;
    if (byte->value != '/') {
      segment.Add(byte->value);
      continue;
    }
    if (segment.IsEmpty() || segment.IsDots()) return true;
    segment = {};
  }
  return segment.IsDots() || (segment.IsEmpty() && segment.HasParams());
}

std::vector<std::string> OtherReadings(std::string_view path) {
  std::vector<std::string> out;
  if (!NeedsReading(path)) return out;
  for (const bool fully : {false, true}) {
    std::string decoded = fully ? DecodeFully(path) : DecodeOnce(path);
    std::replace(decoded.begin(), decoded.end(), '\\', '/');
    for (const bool whole : {true, false}) {
      if (!whole) decoded = DropParams(std::string_view(decoded).substr(0, decoded.find('\0')));
      AddReading(out, path, MergeSlashes(ResolveDots(decoded)));
      AddReading(out, path, ResolveDots(MergeSlashes(decoded)));
    }
  }
  return out;
}

std::string WithoutNeedlessEscapes(std::string_view path) {
  std::string out;
  for (size_t at = 0; at < path.size();) {
    const auto value = Escape(path, at);
    const char c = value ? static_cast<char>(*value) : path[at];
    const bool unreserved = (AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z') || IsAsciiDigit(c) ||
                            std::string_view("-._~").find(c) != std::string_view::npos;
    if (value && unreserved) {
      out += c;
      at += 3;
    } else {
      out += path[at++];
    }
  }
  return out;
}

}  // namespace egret
