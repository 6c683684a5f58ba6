#include "source/io/proxy_header.h"

#include <algorithm>
#include <array>

#include "source/base/strings.h"

namespace egret {
namespace {

using State = ProxyHeaderState;

constexpr std::string_view kV1 = "PROXY ";
constexpr std::string_view kV2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kV2Fixed = 16;

bool AgreeSoFar(std::string_view seen, std::string_view wanted) {
  const size_t n = std::min(seen.size(), wanted.size());
  return seen.substr(0, n) == wanted.substr(0, n);
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return ParseDecimal<uint16_t>(text);
}

// `v6` says how the line claims to spell it.
std::optional<IpAddress> ParseSpelled(std::string_view text, bool v6) {
  if ((text.find(':') != std::string_view::npos) != v6) return std::nullopt;
  return IpAddress::Parse(text);
}

// "TCP4 192.0.2.1 198.51.100.2 56324 443", "UNKNOWN" and whatever stands after it.
bool ReadLine(std::string_view line, ProxyHeader& header) {
  const std::string_view family = SplitFirst(line, ' ');
  if (family == "UNKNOWN") return true;
  if (family != "TCP4" && family != "TCP6") return false;
  const bool v6 = family == "TCP6";
  const auto source = ParseSpelled(SplitFirst(line, ' '), v6);
  const auto destination = ParseSpelled(SplitFirst(line, ' '), v6);
  const auto source_port = ParsePort(SplitFirst(line, ' '));
  const auto destination_port = ParsePort(line);
  if (!source || !destination || !source_port || !destination_port) return false;
  header.addresses = {{*source, *source_port}, {*destination, *destination_port}};
  return true;
}

State ParseV1(std::string_view seen, ProxyHeader& header) {
  const std::string_view within = seen.substr(0, kLongestProxyHeaderV1);
  const size_t end = within.find('\r');
  if (end == std::string_view::npos) {
    const bool line_feed = within.find('\n') != std::string_view::npos;
    return line_feed || within.size() == kLongestProxyHeaderV1 ? State::kMalformed : State::kNeedMore;
  }
  if (end + 1 == kLongestProxyHeaderV1) return State::kMalformed;
  const std::string_view line = within.substr(0, end);
  if (!ReadLine(line.substr(kV1.size()), header) || line.find('\n') != std::string_view::npos) return State::kMalformed;
  if (end + 1 == within.size()) return State::kNeedMore;
  header.length = end + 2;
  return within[end + 1] == '\n' ? State::kHeader : State::kMalformed;
}

uint8_t Byte(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }
uint16_t Word(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(Byte(bytes, at) << 8 | Byte(bytes, at + 1));
}

IpAddress AddressAt(std::string_view bytes, bool v6) {
  if (!v6) return IpAddress::V4(uint32_t{Word(bytes, 0)} << 16 | Word(bytes, 2));
  std::array<uint8_t, 16> raw;
  for (size_t i = 0; i < raw.size(); ++i) raw[i] = Byte(bytes, i);
  return IpAddress::V6(raw);
}

// Byte 12: version and command; 13: family and transport; 14, 15: how many bytes follow.
State ParseV2(std::string_view seen, ProxyHeader& header) {
  constexpr uint8_t kLocal = 0x20, kProxy = 0x21;
  constexpr uint8_t kTcp4 = 0x11, kTcp6 = 0x21;
  if (seen.size() > 12 && Byte(seen, 12) != kLocal && Byte(seen, 12) != kProxy) return State::kMalformed;
  if (seen.size() > 13 && (Byte(seen, 13) >> 4 > 3 || (Byte(seen, 13) & 15) > 2)) return State::kMalformed;
  if (seen.size() < kV2Fixed) return State::kNeedMore;
  const size_t follows = Word(seen, 14);
  const uint8_t kind = Byte(seen, 13);
  const bool told = Byte(seen, 12) == kProxy && (kind == kTcp4 || kind == kTcp6);
  const size_t wide = kind == kTcp6 ? 16 : 4;
  if (kV2Fixed + follows > kLongestProxyHeaderV2 || (told && follows < 2 * wide + 4)) return State::kMalformed;
  if (seen.size() < kV2Fixed + follows) return State::kNeedMore;
  header.length = kV2Fixed + follows;
  if (told) {
    const std::string_view at = seen.substr(kV2Fixed);
    header.addresses = {{AddressAt(at, kind == kTcp6), Word(at, 2 * wide)},
                        {AddressAt(at.substr(wide), kind == kTcp6), Word(at, 2 * wide + 2)}};
  }
  return State::kHeader;
}

}  // namespace

ProxyHeaderState ParseProxyHeader(std::string_view seen, ProxyHeader& header) {
  header = {};
  if (seen.empty()) return State::kNeedMore;
  const bool v1 = AgreeSoFar(seen, kV1);
  if (!v1 && !AgreeSoFar(seen, kV2)) return State::kMalformed;
  if (seen.size() < (v1 ? kV1.size() : kV2.size())) return State::kNeedMore;
  return v1 ? ParseV1(seen, header) : ParseV2(seen, header);
}

}  // namespace egret
