#include "source/base/ip.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "source/base/check.h"
#include "source/base/strings.h"

namespace egret {
namespace {

constexpr size_t kV4At = 12;  // where an IPv4 address stands in a mapped one

std::optional<uint32_t> ParseDottedQuad(std::string_view text) {
  uint32_t bits = 0;
  for (int i = 0; i < 4; ++i) {
    const size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == 3)) return std::nullopt;
    const std::string_view part = SplitFirst(text, '.');
    if (part.size() > 1 && part.front() == '0') return std::nullopt;  // octal to some, decimal to others
    const auto number = ParseDecimal<uint8_t>(part);
    if (!number) return std::nullopt;
    bits = bits << 8 | *number;
  }
  return bits;
}

bool BitsEqual(const std::array<uint8_t, 16>& a, const std::array<uint8_t, 16>& b, size_t from, size_t count) {
  for (; count >= 8; count -= 8, ++from)
    if (a[from] != b[from]) return false;
  if (count == 0) return true;
  const auto mask = static_cast<uint8_t>(0xff00u >> count);
  return (a[from] & mask) == (b[from] & mask);
}

}  // namespace

IpAddress IpAddress::V4(uint32_t host_order) {
  IpAddress out;
  for (size_t i = 0; i < 4; ++i) out.bytes_[kV4At + i] = static_cast<uint8_t>(host_order >> (24 - 8 * i));
  return out;
}

IpAddress IpAddress::V6(const std::array<uint8_t, 16>& bytes) {
  IpAddress out;
  out.v4_ = BitsEqual(bytes, out.bytes_, 0, 96);
  out.bytes_ = bytes;
  return out;
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto bits = ParseDottedQuad(text);
    if (!bits) return std::nullopt;
    return V4(*bits);
  }
  char terminated[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) return std::nullopt;
  terminated[text.copy(terminated, text.size())] = '\0';
  std::array<uint8_t, 16> bytes;
  if (inet_pton(AF_INET6, terminated, bytes.data()) != 1) return std::nullopt;
  return V6(bytes);
}

uint32_t IpAddress::v4_bits() const {
  uint32_t bits = 0;
  for (size_t i = kV4At; i < bytes_.size(); ++i) bits = bits << 8 | bytes_[i];
  return bits;
}

namespace {

// Gives where the text ends. IPv4 by hand, since it is in every log line: inet_ntop would go through printf.
char* Write(const IpAddress& address, char* to, char* end) {
  if (!address.v4()) {
    CHECK(inet_ntop(AF_INET6, address.bytes().data(), to, static_cast<socklen_t>(end - to)) != nullptr);
    return to + std::strlen(to);
  }
  for (size_t i = kV4At;; *to++ = '.') {
    to = std::to_chars(to, end, address.bytes()[i]).ptr;
    if (++i == address.bytes().size()) return to;
  }
}

}  // namespace

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN];
  return {text, Write(*this, text, text + sizeof text)};
}

std::string Endpoint::ToString() const {
  char text[INET6_ADDRSTRLEN + sizeof "[]:65535"];
  char* at = text;
  char* const end = text + sizeof text;
  if (!address.v4()) *at++ = '[';
  at = Write(address, at, end);
  if (!address.v4()) *at++ = ']';
  *at++ = ':';
  return {text, std::to_chars(at, end, port).ptr};
}

std::optional<Endpoint> Endpoint::Parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::Parse(host);
  const auto port = ParseDecimal<uint16_t>(text.substr(colon + 1));
  if (!address || !port || bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
  return Endpoint{*address, *port};
}

Endpoint Endpoint::From(const sockaddr_storage& from) {
  Endpoint out;
  if (from.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &from, sizeof in);
    out = {IpAddress::V4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
  } else if (from.ss_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &from, sizeof in);
    std::array<uint8_t, 16> bytes;
    std::copy_n(in.sin6_addr.s6_addr, bytes.size(), bytes.begin());
    out = {IpAddress::V6(bytes), ntohs(in.sin6_port)};
  }
  return out;
}

uint32_t Endpoint::To(sockaddr_storage& into) const {
  into = {};
  if (address.v4()) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(address.v4_bits());
    std::memcpy(&into, &out, sizeof out);
    return sizeof out;
  }
  sockaddr_in6 out{};
  out.sin6_family = AF_INET6;
  out.sin6_port = htons(port);
  std::copy_n(address.bytes().begin(), address.bytes().size(), out.sin6_addr.s6_addr);
  std::memcpy(&into, &out, sizeof out);
  return sizeof out;
}

std::optional<Cidr> Cidr::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto base = IpAddress::Parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  const uint8_t most = base->v4() ? 32 : 128;
  Cidr out{*base, most};
  if (slash != std::string_view::npos) {
    const auto bits = ParseDecimal<uint8_t>(text.substr(slash + 1));
    if (!bits || *bits > most) return std::nullopt;
    out.bits = *bits;
  }
  for (size_t bit = out.bits + (base->v4() ? 96u : 0u); bit < 128; ++bit)
    if ((base->bytes()[bit / 8] & 0x80u >> bit % 8) != 0) return std::nullopt;
  return out;
}

bool Cidr::Contains(const IpAddress& address) const {
  if (address.v4() != base.v4()) return false;
  return BitsEqual(address.bytes(), base.bytes(), base.v4() ? kV4At : 0, bits);
}

std::string Cidr::ToString() const { return Cat(base.ToString(), '/', bits); }

}  // namespace egret
