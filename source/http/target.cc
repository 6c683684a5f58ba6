#include "source/http/target.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr bool IsAlpha(char c) { return AsciiLower(c) >= 'a' && AsciiLower(c) <= 'z'; }
constexpr bool IsAlphaOrDigit(char c) { return IsAlpha(c) || IsAsciiDigit(c); }

constexpr auto kHostBytes = [] {
  std::array<bool, 256> table{};
  for (size_t c = 0; c < 128; ++c) table[c] = IsAlphaOrDigit(static_cast<char>(c));
  for (const char c : std::string_view("-._~!$&'()*+;=%")) table[static_cast<uint8_t>(c)] = true;
  return table;
}();
bool IsHostByte(char c) { return kHostBytes[static_cast<uint8_t>(c)]; }
// No zone: it is of no meaning to anyone but its sender (RFC 9844).
bool IsIpLiteralByte(char c) { return IsAlphaOrDigit(c) || c == ':' || c == '.'; }
bool IsSchemeByte(char c) { return IsAlphaOrDigit(c) || c == '+' || c == '-' || c == '.'; }
bool IsTargetByte(char c) { return c > ' ' && c < '\x7f' && c != '\\' && c != '#'; }

template <bool (*Predicate)(char)>
bool All(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return Predicate(c); });
}

enum class Port : uint8_t { kBad, kNone, kEmpty, kGiven };

// What stands behind the host; kBad also where the host itself is not plain.
Port PortOf(std::string_view authority) {
  size_t host_end = std::string_view::npos;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos || close == 1) return Port::kBad;
    if (!All<IsIpLiteralByte>(authority.substr(1, close - 1))) return Port::kBad;
    host_end = close + 1;
  } else {
    host_end = std::min(authority.find(':'), authority.size());
    if (host_end == 0 || !All<IsHostByte>(authority.substr(0, host_end))) return Port::kBad;
  }
  std::string_view rest = authority.substr(host_end);
  if (rest.empty()) return Port::kNone;
  if (rest.front() != ':') return Port::kBad;
  rest.remove_prefix(1);
  if (rest.empty()) return Port::kEmpty;
  const auto port = ParseDecimal<uint16_t>(rest);
  return port && *port != 0 && rest.size() <= 5 ? Port::kGiven : Port::kBad;
}

Result<RequestTarget, Fault> ParseAbsolute(std::string_view raw) {
  RequestTarget target{TargetForm::kAbsolute, {}, {}, {}};
  const size_t colon = raw.find(':');
  if (colon == std::string_view::npos || colon == 0) return Fault::kHttpTarget;
  target.scheme = raw.substr(0, colon);
  if (!IsAlpha(raw.front()) || !All<IsSchemeByte>(target.scheme)) return Fault::kHttpTarget;
  if (EqualsIgnoreCase(target.scheme, "http")) target.scheme = "http";
  if (EqualsIgnoreCase(target.scheme, "https")) target.scheme = "https";
  raw.remove_prefix(colon + 1);
  if (!raw.starts_with("//")) return Fault::kHttpTarget;
  raw.remove_prefix(2);
  const size_t end = std::min(raw.find_first_of("/?"), raw.size());
  target.authority = raw.substr(0, end);
  target.path = raw.substr(end);
  if (!IsPlainAuthority(target.authority)) return Fault::kHttpTarget;
  return target;
}

}  // namespace

bool IsPlainAuthority(std::string_view text) { return PortOf(text) != Port::kBad; }

Result<RequestTarget, Fault> ParseTarget(std::string_view method, std::string_view raw) {
  if (method == "CONNECT") {
    if (PortOf(raw) != Port::kGiven) return Fault::kHttpConnectTarget;
    return RequestTarget{TargetForm::kAuthority, {}, raw, {}};
  }
  if (raw.empty() || !All<IsTargetByte>(raw)) return Fault::kHttpTarget;
  if (raw.front() == '/') return RequestTarget{TargetForm::kOrigin, {}, {}, raw};
  if (raw == "*") {
    if (method != "OPTIONS") return Fault::kHttpTarget;
    return RequestTarget{TargetForm::kAsterisk, {}, {}, raw};
  }
  return ParseAbsolute(raw);
}

}  // namespace egret
