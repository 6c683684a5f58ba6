#include "source/config/built_in_tunnel.h"

#include <optional>
#include <utility>

#include "source/filters/egress_policy.h"
#include "source/filters/forward_router.h"
#include "source/filters/tcp_relay.h"
#include "source/filters/tls_inspector.h"

namespace egret {
namespace {

FilterChain Relayed() {
  FilterChain chain;
  chain.name = "relayed";
  chain.match.verdict = ChainMatch::Verdict::kRelay;
  chain.filters.push_back(std::make_unique<TcpRelayFilter>());
  return chain;
}

FilterChain Clear(const HttpConnectionOptions& http, const ConnectTunnelOptions& tunnel) {
  ForwardRouterOptions router;
  router.next_hop = tunnel.next_hop;
  router.dial = tunnel.dial;
  router.upgraded = tunnel.relay;
  HttpFilters inner;
  inner.push_back(std::make_unique<EgressPolicyHttpFilter>(std::nullopt));
  inner.push_back(std::make_unique<ForwardRouterFilter>(std::move(router)));
  HttpConnectionOptions options = http;
  options.target = HttpConnectionOptions::Target::kTunnel;
  FilterChain chain;
  chain.name = "clear";
  chain.match.verdict = ChainMatch::Verdict::kInspect;
  chain.match.protocol = Protocol::kHttp;
  chain.filters.push_back(std::make_unique<HttpConnectionFilter>(std::move(options), std::move(inner)));
  return chain;
}

}  // namespace

std::shared_ptr<const ListenerChains> BuiltInTunnel(const HttpConnectionOptions& http,
                                                    const ConnectTunnelOptions& tunnel) {
  auto out = std::make_shared<ListenerChains>();
  out->name = "tunnel";
  out->listener_filters.push_back(std::make_unique<TlsInspectorFilter>(TlsInspectorOptions{}));
  out->listener_filters.push_back(std::make_unique<EgressPolicyNetworkFilter>(std::nullopt));
  out->chains.push_back(Relayed());
  out->chains.push_back(Clear(http, tunnel));
  return out;
}

}  // namespace egret
