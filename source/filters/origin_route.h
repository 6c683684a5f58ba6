// How a request gets to where it is for: found out once, of the request, its connection and what the router is set to.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/current.h"
#include "source/chain/exchange.h"
#include "source/io/dial.h"
#include "source/io/relay.h"
#include "source/tls/tls_context.h"
#include "source/upstream/next_hop.h"
#include "source/upstream/pool_place.h"
#include "source/upstream/request.h"
#include "source/upstream/tls_handshake.h"

namespace egret {

struct ForwardRouterOptions {
  enum class Http2 : uint8_t { kAuto, kNever, kAlways };

  std::shared_ptr<const NextHop> next_hop;  // null: direct
  // For https; null where no such request can come.
  std::shared_ptr<const Current<TlsClientContext>> tls;
  Http2 http2 = Http2::kAuto;
  DialOptions dial;
  UpstreamLimits limits;
  RelayLimits upgraded;         // of a connection that switched protocols
  uint64_t continue_ms = 1000;  // an origin that does not answer Expect is sent the body after this
};

struct OriginRoute {
  enum class Http2 : uint8_t {
    kNo,
    kOffered,  // within TLS the origin chooses
    kOnly,     // in clear by prior knowledge (RFC 9113 3.3)
  };

  // Whether a connection that leads to the origin, or to the parent, may be shared by many requests.
  bool may_share() const { return http2 != Http2::kNo; }
  bool may_share_parent() const { return to_parent && hop->http2 && parent_key == hop->pool_key; }

  const NextHop* hop;  // null: direct
  // The parent resolves, and requests in clear may be sent to it as they are.
  bool to_parent = false;
  PoolKey key;         // of connections that lead to the origin
  PoolKey parent_key;  // of those that lead to such a parent
  std::optional<TlsOffer> tls;
  Http2 http2 = Http2::kNo;
};

// What the options leave a choice of.
enum class Versions : uint8_t { kAny, kHttp1 };

// Of a request that has its target, its head prepared. What goes on from a decrypted connection goes as its OriginTls
// says.
OriginRoute RouteOf(Exchange& exchange, const ForwardRouterOptions& options, Versions versions = Versions::kAny);

// Whether what asks for WebSocket can be asked for by an extended CONNECT (RFC 8441), too.
bool MaySwitchInHttp2(const Exchange& exchange);

bool Offers(const std::vector<std::string>& alpn, std::string_view protocol);
// What an offer of these within TLS means.
OriginRoute::Http2 Http2Within(const std::vector<std::string>& alpn);

// What must agree before a connection to the origin can be another request's: also whom its TLS believes and what it
// shows (the context), and what was offered inside. The name that its certificate is for is the target's. What was
// decrypted is not mixed with what others sent (`tls` may be null), and nobody's requests with those of `who` (null:
// nobody): an origin may hold a connection for whoever came first on it.
PoolKey OriginKey(const Connection& connection, const Identity* who, const Target& target, const NextHop* hop,
                  const TlsOffer* tls, OriginRoute::Http2 http2);

// The part of such a key that a CONNECT knows already.
std::string OriginOf(const Identity* who, const Target& target, const NextHop* hop);

}  // namespace egret
