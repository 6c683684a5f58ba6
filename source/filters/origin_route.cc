#include "source/filters/origin_route.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/chain/connection.h"
#include "source/http/websocket.h"

namespace egret {
namespace {

using Http2 = OriginRoute::Http2;
using Wanted = ForwardRouterOptions::Http2;

// In clear nothing says which version an origin speaks but the client: one that begins with HTTP/2 inside its tunnel
// knows that the origin does (RFC 9113 3.3), until that is seen to be wrong, and gRPC is spoken in nothing else.
bool ClientKnowsHttp2(Exchange& exchange) {
  const Head& head = exchange.request.head;
  if (head.version != Version::kHttp2) return false;
  if (exchange.connection().target) return !exchange.connection().speaks_http1;
  const Field* type = head.Find("Content-Type");
  return type != nullptr && type->value.starts_with("application/grpc");
}

TlsOffer OfferFor(Exchange& exchange, const ForwardRouterOptions& options, Http2 http2) {
  const std::optional<OriginTls>& inside = exchange.connection().origin_tls;
  CHECK(inside || options.tls != nullptr);
  TlsOffer offer{inside ? inside->context : options.tls->Get(), exchange.target->host, {}};
  if (inside && inside->alpn.empty()) return offer;
  if (http2 != Http2::kNo) offer.alpn.emplace_back(kAlpnHttp2);
  if (http2 != Http2::kOnly) offer.alpn.emplace_back(kAlpnHttp1);
  return offer;
}

OriginRoute RouteIn(Exchange& exchange, const ForwardRouterOptions& options, Http2 http2) {
  OriginRoute route;
  route.hop = options.next_hop.get();
  route.http2 = http2;
  if (exchange.secure) route.tls = OfferFor(exchange, options, route.http2);
  route.key = OriginKey(exchange.connection(), exchange.identity.get(), *exchange.target, route.hop,
                        route.tls ? &*route.tls : nullptr, route.http2);
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

// As far as nobody says otherwise: as what was decrypted began, as the origin chooses, as the client knows.
Http2 Http2Around(Exchange& exchange) {
  if (const auto& inside = exchange.connection().origin_tls) return Http2Within(inside->alpn);
  if (exchange.secure) return Http2::kOffered;
  return ClientKnowsHttp2(exchange) ? Http2::kOnly : Http2::kNo;
}

Http2 Http2For(Exchange& exchange, const ForwardRouterOptions& options, Versions versions) {
  if (options.http2 == Wanted::kAlways) return Http2::kOnly;
  if (options.http2 == Wanted::kNever || versions == Versions::kHttp1) return Http2::kNo;
  const Http2 http2 = Http2Around(exchange);
  return exchange.upgrade.empty() || MaySwitchIn(exchange, options, http2) ? http2 : Http2::kNo;
}

std::string KeyOf(const Identity* who) { return who != nullptr ? who->Key() : "-"; }

}  // namespace

bool Offers(const std::vector<std::string>& alpn, std::string_view protocol) {
  return std::find(alpn.begin(), alpn.end(), protocol) != alpn.end();
}

Http2 Http2Within(const std::vector<std::string>& alpn) {
  if (!Offers(alpn, kAlpnHttp2)) return Http2::kNo;
  return Offers(alpn, kAlpnHttp1) ? Http2::kOffered : Http2::kOnly;
}

PoolKey OriginKey(const Connection& connection, const Identity* who, const Target& target, const NextHop* hop,
                  const TlsOffer* tls, Http2 http2) {
  std::string key = target.ToString();
  if (tls != nullptr) Append(key, " tls ", tls->context->id());
  if (tls != nullptr && tls->alpn.empty()) key += " without alpn";
  if (http2 == Http2::kOnly) key += " h2";
  if (http2 == Http2::kOffered) key += " h2, http/1.1";
  if (MustDialOriginal(connection)) Append(key, " at ", connection.original_destination->address.ToString());
  // Last, since it may be any text.
  if (who != nullptr || connection.decrypted()) Append(key, connection.decrypted() ? " of " : " for ", KeyOf(who));
  return hop != nullptr ? Cat("tunnel by ", hop->pool_key, ' ', key) : key;
}

std::string OriginOf(const Identity* who, const Target& target, const NextHop* hop) {
  return Cat(hop != nullptr ? hop->target.name() : "", ' ', target.ToString(), ' ', KeyOf(who));
}

bool MaySwitchInHttp2(const Exchange& exchange) {
  return exchange.request.body == nullptr && MayExtendConnect(exchange.request.head);
}

OriginRoute RouteOf(Exchange& exchange, const ForwardRouterOptions& options, Versions versions) {
  return RouteIn(exchange, options, Http2For(exchange, options, versions));
}

}  // namespace egret
