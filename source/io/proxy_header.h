// The header that a load balancer puts before a connection's own bytes to say who is behind it: PROXY protocol, version
// 1 (a line of text) and version 2 (binary). Whether its sender may be believed is the caller's to know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "source/base/ip.h"

namespace egret {

struct ProxyHeader {
  struct Addresses {
    Endpoint source;       // the client
    Endpoint destination;  // what the client connected to
  };
  // Nothing where the sender speaks for itself (version 2's LOCAL: a health check) or cannot say it as TCP over IP
  // (version 1's UNKNOWN, other families): the connection's own addresses hold.
  std::optional<Addresses> addresses;
  size_t length = 0;  // of the header; the connection's own bytes follow
};

enum class ProxyHeaderState : uint8_t { kNeedMore, kHeader, kMalformed };

constexpr size_t kLongestProxyHeaderV1 = 107;
// What version 2 may announce is up to 64 KiB of additions (TLVs); senders use some hundred bytes.
constexpr size_t kLongestProxyHeaderV2 = 16 + 4096;

// `seen` begins the connection. An answer other than kNeedMore stays the same when more follows. A malformed header is
// told as early as it shows, so that nobody waits for the rest of it.
ProxyHeaderState ParseProxyHeader(std::string_view seen, ProxyHeader& header);

}  // namespace egret
