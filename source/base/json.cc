#include "source/base/json.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace egret {
namespace {

constexpr char kHex[] = "0123456789abcdef";

void PutEscape(TextWriter& out, unsigned code) {
  out.Put(std::string_view("\\u"));
  for (int shift = 12; shift >= 0; shift -= 4) out.Put(kHex[code >> shift & 15u]);
}

bool IsContinuation(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0u) == 0x80u;
}

// The length of the well-formed UTF-8 sequence at `at` (RFC 3629: no surrogates, no overlong form), or 0.
size_t Utf8Length(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                        : (lead & 0xf0u) == 0xe0u      ? 3
                        : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                       : 0;
  if (length == 0) return 0;
  for (size_t i = 1; i < length; ++i)
    if (!IsContinuation(text, at + i)) return 0;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return length;
}

bool IsPlain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// Whether eight bytes all stand for themselves (bit tricks as in Hacker's Delight 6-1). It may say no where they do.
bool ArePlain(uint64_t bytes) {
  constexpr uint64_t kOnes = 0x0101010101010101, kHighs = 0x80 * kOnes;
  const auto zeros = [](uint64_t in) { return (in - kOnes) & ~in; };
  const uint64_t odd = bytes | (bytes - 0x20 * kOnes) | zeros(bytes ^ '"' * kOnes) | zeros(bytes ^ '\\' * kOnes) |
                       zeros(bytes ^ 0x7f * kOnes);
  return (odd & kHighs) == 0;
}

// Copies what stands for itself, up to the first byte that does not; gives how much that was. Eight bytes at a time:
// nearly all of a log line passes here.
size_t PutPlain(TextWriter& out, std::string_view text) {
  char* const to = out.Room(text.size());
  size_t at = 0;
  for (uint64_t block; text.size() - at >= sizeof block; at += sizeof block) {
    std::memcpy(&block, text.data() + at, sizeof block);
    if (!ArePlain(block)) break;
    std::memcpy(to + at, &block, sizeof block);
  }
  if (constexpr size_t kBlock = sizeof(uint64_t); at < text.size() && text.size() - at < kBlock && at > 0) {
    uint64_t last;  // the rest, and before it what was copied already
    std::memcpy(&last, text.data() + text.size() - kBlock, kBlock);
    if (ArePlain(last)) {
      std::memcpy(to + text.size() - kBlock, &last, kBlock);
      at = text.size();
    }
  }
  for (; at < text.size() && IsPlain(text[at]); ++at) to[at] = text[at];
  out.WrittenTo(to + at);
  return at;
}

void PutJsonString(TextWriter& out, std::string_view text) {
  out.Put('"');
  for (size_t i = 0;;) {
    i += PutPlain(out, text.substr(i));
    if (i == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '"' || byte == '\\') {
      out.Put('\\', text[i++]);
    } else if (byte < 0x20 || byte == 0x7f) {
      PutEscape(out, byte);
      ++i;
    } else if (const size_t length = Utf8Length(text, i); length == 0) {
      PutEscape(out, 0xfffd);
      ++i;
    } else if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) {  // C1 controls
      PutEscape(out, static_cast<unsigned char>(text[i + 1]));
      i += 2;
    } else {
      out.Put(text.substr(i, length));
      i += length;
    }
  }
  out.Put('"');
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  TextWriter writer(out);
  PutJsonString(writer, text);
}

void JsonWriter::Open(char bracket) {
  Separate();
  out_.Put(bracket);
  first_ = true;
  ++depth_;
}

void JsonWriter::Close(char bracket) {
  out_.Put(bracket);
  first_ = false;
  --depth_;
  FinishIfWhole();
}

void JsonWriter::String(std::string_view value) {
  Separate();
  PutJsonString(out_, value);
  FinishIfWhole();
}

void JsonWriter::Raw(std::string_view json) {
  Separate();
  out_.Put(json);
  FinishIfWhole();
}

}  // namespace egret
