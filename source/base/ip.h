// IP addresses as plain values: parsed strictly, compared, printed canonically. An IPv4-mapped IPv6 address is the IPv4
// address (RFC 4291 2.5.5.2), so nothing above meets two spellings of one destination.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;
struct sockaddr_storage;

namespace egret {

class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress V4(uint32_t host_order);
  static IpAddress V6(const std::array<uint8_t, 16>& bytes);

  // A dotted quad of four plain decimal numbers (no octal, hex or short form), or IPv6 without brackets and zone.
  static std::optional<IpAddress> Parse(std::string_view text);

  bool v4() const { return v4_; }
  uint32_t v4_bits() const;                                        // host order; only if v4()
  const std::array<uint8_t, 16>& bytes() const { return bytes_; }  // an IPv4 address as ::ffff:a.b.c.d
  std::string ToString() const;                                    // RFC 5952; no brackets

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool v4_ = true;
  std::array<uint8_t, 16> bytes_ = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
};

struct Endpoint {
  IpAddress address;
  uint16_t port = 0;

  std::string ToString() const;  // "192.0.2.1:80", "[2001:db8::1]:80"
  // "192.0.2.1:80" or "[::]:80"; the port 0 is taken (any free one).
  static std::optional<Endpoint> Parse(std::string_view text);
  // Of an AF_INET or AF_INET6 address; 0.0.0.0:0 for any other family.
  static Endpoint From(const sockaddr_storage& from);
  // Fills `into`, returns the length to give to the kernel.
  uint32_t To(sockaddr_storage& into) const;

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

// An address range, "192.0.2.0/24"; an address alone is a range of one.
struct Cidr {
  IpAddress base;
  uint8_t bits = 32;  // of an IPv4 address at most 32

  // Refuses bits set beyond the prefix length.
  static std::optional<Cidr> Parse(std::string_view text);
  bool Contains(const IpAddress& address) const;
  std::string ToString() const;

  friend auto operator<=>(const Cidr&, const Cidr&) = default;
};

}  // namespace egret
