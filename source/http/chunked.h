// The chunked transfer coding (RFC 9112 7.1), decoded strictly and in place. A decoder of our own, because what parsers
// let pass here (signs, prefixes, bare LF, oversize sizes) is what request smuggling is made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "source/http/body.h"
#include "source/http/head_scanner.h"

namespace egret {

class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(size_t trailer_bytes);

  enum class Error : uint8_t { kNone, kChunk, kTrailer };
  struct Step {
    size_t used = 0;           // of the bytes given
    std::string_view content;  // moved together inside those bytes; may be empty
  };
  // Takes all that it can. Not after done() or error().
  Step Decode(std::span<char> bytes);

  bool done() const { return state_ == State::kDone; }
  Error error() const { return error_; }
  // After done(): without those that must not stand in trailers (RFC 9110 6.5.1).
  const Trailers& trailers() const { return trailers_; }

 private:
  enum class State : uint8_t { kSize, kExtension, kSizeLf, kData, kDataCr, kDataLf, kTrailers, kDone };
  void Take(char c);
  void TakeSize(char c);
  void TakeExtension(char c);
  void TakeTrailer(char c);
  void Expect(char c, char wanted, State then);

  uint64_t left_ = 0;           // kSize: the size so far; kData: bytes of this chunk still to come
  size_t extension_bytes_ = 0;  // of this chunk's line
  HeadScanner scanner_;         // of the trailer section
  std::string trailer_text_;
  Trailers trailers_;
  State state_ = State::kSize;
  uint8_t digits_ = 0;
  bool quoted_ = false;  // inside a quoted string of an extension
  Error error_ = Error::kNone;
};

}  // namespace egret
