// Content codings put on, for tests of taking them off.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

#include "source/base/check.h"

namespace egret {

inline constexpr int kGzipBits = MAX_WBITS + 16, kZlibBits = MAX_WBITS, kRawBits = -MAX_WBITS;

inline std::string Compress(std::string_view text, int window_bits = kGzipBits) {
  z_stream zlib{};
  CHECK(deflateInit2(&zlib, 9, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&zlib, text.size()), '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  zlib.avail_in = static_cast<uInt>(text.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&zlib, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - zlib.avail_out);
  deflateEnd(&zlib);
  return out;
}

}  // namespace egret
