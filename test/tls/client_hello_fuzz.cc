// Whatever bytes come: nothing is read beyond them, an answer other than kNeedMore stays the same when more follows,
// and what is given out keeps its promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "source/tls/client_hello.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

// In a block of exactly its size, so that AddressSanitizer sees the first byte too far.
egret::HelloState ParseExact(std::string_view seen, egret::ClientHello& hello) {
  const auto block = std::make_unique<char[]>(seen.size());
  seen.copy(block.get(), seen.size());
  return egret::ParseClientHello(std::string_view(block.get(), seen.size()), hello, 2048);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using egret::HelloState;
  using egret::Sniff;
  const std::string_view seen(reinterpret_cast<const char*>(data), size);
  egret::ClientHello hello;
  const HelloState state = ParseExact(seen, hello);
  const Sniff sniff = egret::Classify(seen);
  Require(hello.sni.size() <= 255);
  for (const char c : hello.sni) Require(c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z'));
  if (state == HelloState::kHello) Require(sniff == Sniff::kTls);
  if (sniff == Sniff::kTls) Require(state != HelloState::kNotTls);

  for (std::size_t length = 0; length < size && length < 600; ++length) {
    const HelloState before = ParseExact(seen.substr(0, length), hello);
    if (before != HelloState::kNeedMore) Require(before == state);
    const Sniff earlier = egret::Classify(seen.substr(0, length));
    if (earlier != Sniff::kNeedMore) Require(earlier == sniff);
  }
  return 0;
}
