// What counts as one client where something is limited by where it comes from.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "source/base/ip.h"

namespace egret {

// An IPv4 address itself; of an IPv6 address its /64, out of which a host takes as many as it likes (RFC 8981, RFC
// 7934).
inline IpAddress ClientNetwork(const IpAddress& address) {
  if (address.v4()) return address;
  std::array<uint8_t, 16> bytes = address.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), uint8_t{0});
  return IpAddress::V6(bytes);
}

// The same as the key of a table.
inline std::string ClientKey(const IpAddress& address) {
  const IpAddress network = ClientNetwork(address);
  return std::string(reinterpret_cast<const char*>(network.bytes().data()), network.bytes().size());
}

}  // namespace egret
