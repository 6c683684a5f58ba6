#include "source/filters/origin_route.h"

#include <string>
#include <string_view>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/http/websocket.h"

namespace egret {
namespace {

using Http2 = OriginRoute::Http2;
using Wanted = ForwardRouterOptions::Http2;

// In clear nothing says which version an origin speaks but the client: one that begins with HTTP/2 inside its tunnel
// knows that the origin does (RFC 9113 3.3), and gRPC is spoken in nothing else.
bool ClientKnowsHttp2(Exchange& exchange) {
  const Head& head = exchange.request.head;
  if (head.version != Version::kHttp2) return false;
  if (exchange.connection().target) return true;
  const Field* type = head.Find("Content-Type");
  return type != nullptr && type->value.starts_with("application/grpc");
}

TlsOffer OfferFor(const Exchange& exchange, const ForwardRouterOptions& options, Http2 http2) {
  CHECK(options.tls != nullptr);
  TlsOffer offer{options.tls->Get(), exchange.target->host, {}};
  if (http2 != Http2::kNo) offer.alpn.emplace_back(kAlpnHttp2);
  if (http2 != Http2::kOnly) offer.alpn.emplace_back(kAlpnHttp1);
  return offer;
}

// All that makes one connection unfit for another's request: also whom its TLS believes and what it shows (the
// context), and what was offered inside. The name that its certificate is for is the target's.
PoolKey KeyOf(Exchange& exchange, const OriginRoute& route) {
  std::string key = exchange.target->ToString();
  if (route.tls) Append(key, " tls ", route.tls->context->id());
  if (route.http2 == Http2::kOnly) key += " h2";
  if (route.http2 == Http2::kOffered) key += " h2, http/1.1";
  const Connection& connection = exchange.connection();
  if (MustDialOriginal(connection)) Append(key, " at ", connection.original_destination->address.ToString());
  return route.hop != nullptr ? Cat("tunnel ", route.hop->target.name(), ' ', key) : key;
}

OriginRoute RouteIn(Exchange& exchange, const ForwardRouterOptions& options, Http2 http2) {
  OriginRoute route;
  route.hop = options.next_hop.get();
  route.http2 = http2;
  if (exchange.secure) route.tls = OfferFor(exchange, options, route.http2);
  route.key = KeyOf(exchange, route);
  // What is to be encrypted on its way to the origin is not shown to a parent: it gets a tunnel.
  route.to_parent = ParentResolves(route.hop) && !exchange.secure;
  if (route.to_parent) route.parent_key = route.hop->pool_key;
  if (route.to_parent && !exchange.upgrade.empty()) route.parent_key += " http/1.1";
  return route;
}

// Few origins take extended CONNECT: where the origin chooses the version, a switch of protocols has a connection of
// its own in HTTP/1.1, unless there is one of HTTP/2 already that takes it. Whoever knows HTTP/2 in clear is asked.
bool MaySwitchIn(Exchange& exchange, const ForwardRouterOptions& options, Http2 http2) {
  if (!MaySwitchInHttp2(exchange)) return false;
  if (http2 != Http2::kOffered) return true;
  return exchange.worker().pool().TakesExtendedConnect(RouteIn(exchange, options, http2).key);
}

Http2 Http2For(Exchange& exchange, const ForwardRouterOptions& options, Versions versions) {
  if (options.http2 == Wanted::kAlways) return Http2::kOnly;
  if (options.http2 == Wanted::kNever || versions == Versions::kHttp1) return Http2::kNo;
  if (!exchange.secure && !ClientKnowsHttp2(exchange)) return Http2::kNo;
  const Http2 http2 = exchange.secure ? Http2::kOffered : Http2::kOnly;
  return exchange.upgrade.empty() || MaySwitchIn(exchange, options, http2) ? http2 : Http2::kNo;
}

}  // namespace

bool MaySwitchInHttp2(const Exchange& exchange) {
  return exchange.request.body == nullptr && MayExtendConnect(exchange.request.head);
}

OriginRoute RouteOf(Exchange& exchange, const ForwardRouterOptions& options, Versions versions) {
  return RouteIn(exchange, options, Http2For(exchange, options, versions));
}

}  // namespace egret
