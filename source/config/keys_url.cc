#include "source/config/keys_url.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::string_view kScheme = "https://";
constexpr uint16_t kPort = 443;

Unfit NoUrl(std::string why) { return {std::move(why), "write e.g. https://issuer.example/keys.json"}; }

}  // namespace

Result<KeysUrl, Unfit> ParseKeysUrl(std::string_view text) {
  if (!text.starts_with(kScheme)) return NoUrl("not an https:// URL; keys that came in clear would be anybody's");
  const auto fits = [](char c) { return c > 0x20 && c < 0x7f && c != '#'; };
  if (!std::all_of(text.begin(), text.end(), fits)) return NoUrl("a fragment, or what a URL must write as %XX");
  text.remove_prefix(kScheme.size());
  const size_t end = std::min(text.find_first_of("/?"), text.size());
  Result<Target, Fault> target = ParseAuthority(text.substr(0, end), kPort);
  if (!target) return NoUrl("no host name or address where it belongs");
  const std::string_view path = text.substr(end);
  return KeysUrl{std::move(*target), Cat(path.starts_with('/') ? "" : "/", path)};
}

}  // namespace egret
