#include "source/http/chunked.h"

#include <algorithm>
#include <cstring>

#include "source/base/strings.h"
#include "source/http/field_name.h"
#include "source/http/field_value.h"

namespace egret {
namespace {

constexpr uint8_t kMaxDigits = 16;
constexpr size_t kMaxExtension = 4096;  // of one chunk; nobody acts on them, they are dropped
constexpr size_t kMaxTrailers = 64;

int HexValue(char c) {
  if (IsAsciiDigit(c)) return c - '0';
  const char lower = AsciiLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

void Collect(std::string_view section, Trailers& trailers) {
  while (!section.starts_with('\r')) {
    std::string_view line = SplitFirst(section, '\r');
    section.remove_prefix(1);
    const std::string_view name = SplitFirst(line, ':');
    if (MayBeTrailer(name)) trailers.Add(name, TrimOws(line));
  }
}

}  // namespace

ChunkedDecoder::ChunkedDecoder(size_t trailer_bytes)
    : scanner_(HeadScanner::Kind::kTrailers, {trailer_bytes, kMaxTrailers, 0}) {}

ChunkedDecoder::Step ChunkedDecoder::Decode(std::span<char> bytes) {
  size_t at = 0, size = 0;
  char* content = bytes.data();
  while (at < bytes.size() && state_ != State::kDone && error_ == Error::kNone) {
    if (state_ != State::kData) {
      Take(bytes[at++]);
      continue;
    }
    char* const from = bytes.data() + at;
    const size_t piece = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - at));
    if (size == 0) content = from;
    if (content + size != from) std::memmove(content + size, from, piece);  // closes the gap that framing left
    size += piece;
    at += piece;
    left_ -= piece;
    if (left_ == 0) state_ = State::kDataCr;
  }
  return {at, {content, size}};
}

void ChunkedDecoder::Take(char c) {
  switch (state_) {
    case State::kSize:
      return TakeSize(c);
    case State::kExtension:
      return TakeExtension(c);
    case State::kSizeLf:
      return Expect(c, '\n', left_ == 0 ? State::kTrailers : State::kData);
    case State::kDataCr:
      return Expect(c, '\r', State::kDataLf);
    case State::kDataLf:
      digits_ = 0;
      return Expect(c, '\n', State::kSize);
    case State::kTrailers:
      return TakeTrailer(c);
    case State::kData:
    case State::kDone:
      return;
  }
}

void ChunkedDecoder::Expect(char c, char wanted, State then) {
  if (c == wanted) {
    state_ = then;
  } else {
    error_ = Error::kChunk;
  }
}

void ChunkedDecoder::TakeSize(char c) {
  const int digit = HexValue(c);
  if (digit >= 0 && digits_ < kMaxDigits) {
    left_ = (left_ << 4) | static_cast<uint64_t>(digit);
    ++digits_;
  } else if (c == '\r' && digits_ > 0) {
    state_ = State::kSizeLf;
  } else if (c == ';' && digits_ > 0) {
    state_ = State::kExtension;
    extension_bytes_ = 0;
    quoted_ = false;
  } else {
    error_ = Error::kChunk;
  }
}

// A line that ends inside a quoted string, or might, has two readings: refused.
void ChunkedDecoder::TakeExtension(char c) {
  if (c == '\r' && !quoted_) {
    state_ = State::kSizeLf;
    return;
  }
  if (c == '"') quoted_ = !quoted_;
  if (!IsFieldByte(c) || c == '\\' || ++extension_bytes_ > kMaxExtension) error_ = Error::kChunk;
}

void ChunkedDecoder::TakeTrailer(char c) {
  trailer_text_.push_back(c);
  switch (scanner_.Scan(trailer_text_)) {
    case HeadScanner::Verdict::kMore:
      return;
    case HeadScanner::Verdict::kRefused:
      error_ = Error::kTrailer;
      return;
    case HeadScanner::Verdict::kComplete:
      Collect(trailer_text_, trailers_);
      state_ = State::kDone;
      return;
  }
}

}  // namespace egret
