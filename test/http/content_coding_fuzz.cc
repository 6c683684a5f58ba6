// Any content taken for compressed, cut in pieces as the bytes say: the same comes out as of the whole, or it is
// malformed both times, and no turn gives more than its room. What was compressed comes out as it was.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/check.h"
#include "source/http/content_coding.h"
#include "test/support/gzip.h"
#include "test/support/pieces_body.h"

namespace egret {
namespace {

constexpr size_t kMost = 4096;  // nothing so small decodes to what is taken for a bomb

// All that comes out of `pieces`; nothing: they are malformed.
std::optional<std::string> Decode(std::string_view coding, const std::vector<std::string>& pieces) {
  const std::unique_ptr<ContentEdit> decoder = MakeDecoder(coding);
  CHECK(decoder != nullptr);
  std::string all, out;
  for (std::string_view in : pieces) {
    do {
      out.clear();
      if (!decoder->Take(in, out)) return std::nullopt;
      CHECK(out.size() <= ContentEdit::kRoom);
      all += out;
    } while (!out.empty());
    CHECK(in.empty());  // whoever gives nothing has taken everything
  }
  out.clear();
  if (!decoder->End(out)) return std::nullopt;
  return all + out;
}

// A byte says which coding, and whether the rest is to be compressed first; one says how it is cut.
void Check(std::string_view bytes) {
  const auto kind = static_cast<uint8_t>(bytes[0]);
  const size_t piece = 1 + static_cast<uint8_t>(bytes[1]);
  const std::string_view content = bytes.substr(2, kMost);
  const bool gzip = (kind & 1u) != 0, compress = (kind & 2u) != 0;
  const std::string_view coding = gzip ? "gzip" : "deflate";
  const std::string coded = compress ? Compress(content, gzip ? kGzipBits : kZlibBits) : std::string(content);
  const std::optional<std::string> whole = Decode(coding, {coded});
  CHECK(!compress || whole == content);
  CHECK(Decode(coding, Cut(coded, piece)) == whole);
}

}  // namespace
}  // namespace egret

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size >= 2) egret::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
