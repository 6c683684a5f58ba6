// Whatever bytes come: nothing is read beyond them, an answer other than kNeedMore stays the same when more follows,
// and a header is within its bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "source/io/proxy_header.h"

namespace {

using egret::ProxyHeader;
using egret::ProxyHeaderState;

void Require(bool condition) {
  if (!condition) std::abort();
}

// In a block of exactly its size, so that AddressSanitizer sees the first byte too far.
ProxyHeaderState ParseExact(std::string_view seen, ProxyHeader& header) {
  const auto block = std::make_unique<char[]>(seen.size());
  seen.copy(block.get(), seen.size());
  return egret::ParseProxyHeader(std::string_view(block.get(), seen.size()), header);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view seen(reinterpret_cast<const char*>(data), size);
  ProxyHeader header;
  const ProxyHeaderState state = ParseExact(seen, header);
  const bool text = seen.starts_with("PROXY ");
  const std::size_t longest = text ? egret::kLongestProxyHeaderV1 : egret::kLongestProxyHeaderV2;
  if (state == ProxyHeaderState::kHeader) Require(header.length <= size && header.length <= longest);
  if (state == ProxyHeaderState::kNeedMore) Require(size < longest);

  for (std::size_t length = 0; length < size && length < 300; ++length) {
    ProxyHeader earlier;
    const ProxyHeaderState before = ParseExact(seen.substr(0, length), earlier);
    if (before == ProxyHeaderState::kNeedMore) continue;
    Require(before == state);
    if (state != ProxyHeaderState::kHeader) continue;
    Require(earlier.length == header.length && earlier.addresses.has_value() == header.addresses.has_value());
    if (header.addresses) Require(earlier.addresses->source == header.addresses->source);
  }
  return 0;
}
