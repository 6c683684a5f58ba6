#include "source/http/content_coding.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret {
namespace {

// What shrinks to less than this part of itself, and is so large all the same, is not meant to be read.
constexpr uint64_t kMostRatio = 300;
constexpr uint64_t kFreeBytes = uint64_t{8} << 20;

enum class Coding : uint8_t { kGzip, kDeflate };

class Inflater final : public ContentEdit {
 public:
  explicit Inflater(Coding coding) : coding_(coding) {}
  ~Inflater() override {
    if (begun_) inflateEnd(&zlib_);
  }

  bool Take(std::string_view& in, std::string& out) override {
    while (!ended_ && out.size() < kRoom && (!in.empty() || more_)) {
      if (!in.empty() && !Begin(in)) break;
      const int result = Inflate(in, out);
      if (result == Z_STREAM_END) {
        between_ = true;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        return false;
      }
      if (out_bytes_ > kFreeBytes && out_bytes_ / kMostRatio > in_bytes_) return false;
    }
    if (ended_) in = {};
    return true;
  }

  // Nothing at all is taken for empty content.
  bool End(std::string& /*out*/) override { return ended_ || between_ || !begun_; }

 private:
  // Before the first byte, and between two members of gzip (RFC 1952 2.2). False: what follows is no part of it.
  bool Begin(std::string_view in) {
    if (!begun_) {
      CHECK(inflateInit2(&zlib_, WindowBits(in.front())) == Z_OK);
      begun_ = true;
    } else if (between_) {
      ended_ = coding_ != Coding::kGzip || in.front() != '\x1f';
      if (ended_) return false;
      inflateReset(&zlib_);
      between_ = false;
    }
    return true;
  }

  // deflate is zlib's format (RFC 1950), but some send the bare one (RFC 1951), whose first byte is another.
  int WindowBits(char first) const {
    if (coding_ == Coding::kGzip) return MAX_WBITS + 16;
    const auto byte = static_cast<uint8_t>(first);
    return (byte & 0x0fu) == Z_DEFLATED && byte >> 4u <= 7 ? MAX_WBITS : -MAX_WBITS;
  }

  int Inflate(std::string_view& in, std::string& out) {
    const size_t before = out.size();
    const size_t offered = std::min<size_t>(in.size(), std::numeric_limits<uInt>::max());
    out.resize(kRoom);
    zlib_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    zlib_.avail_in = static_cast<uInt>(offered);
    zlib_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    zlib_.avail_out = static_cast<uInt>(kRoom - before);
    const int result = inflate(&zlib_, Z_NO_FLUSH);
    more_ = zlib_.avail_out == 0 && result != Z_STREAM_END;
    out.resize(kRoom - zlib_.avail_out);
    in.remove_prefix(offered - zlib_.avail_in);
    in_bytes_ += offered - zlib_.avail_in;
    out_bytes_ += out.size() - before;
    return result;
  }

  Coding coding_;
  z_stream zlib_{};
  bool begun_ = false;    // zlib_ is initialised
  bool between_ = false;  // one member is complete
  bool ended_ = false;    // and nothing more belongs to it
  bool more_ = false;     // there may be output that had no room
  uint64_t in_bytes_ = 0, out_bytes_ = 0;
};

}  // namespace

std::unique_ptr<ContentEdit> MakeDecoder(std::string_view coding) {
  if (EqualsIgnoreCase(coding, "gzip") || EqualsIgnoreCase(coding, "x-gzip"))
    return std::make_unique<Inflater>(Coding::kGzip);
  if (EqualsIgnoreCase(coding, "deflate")) return std::make_unique<Inflater>(Coding::kDeflate);
  return nullptr;
}

std::string Gzip(std::string_view content) {
  constexpr int kMemory = 8;  // zlib's default
  CHECK(content.size() <= size_t{1} << 30);
  z_stream zlib{};
  CHECK(deflateInit2(&zlib, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, kMemory, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&zlib, content.size()), '\0');
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  zlib.avail_in = static_cast<uInt>(content.size());
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = static_cast<uInt>(out.size());
  CHECK(deflate(&zlib, Z_FINISH) == Z_STREAM_END);  // there is room for all of it
  out.resize(zlib.total_out);
  deflateEnd(&zlib);
  return out;
}

}  // namespace egret
