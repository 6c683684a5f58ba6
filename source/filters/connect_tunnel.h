// connect_tunnel: answers CONNECT. The destination is resolved, checked and dialled first, so that 200 means reached
// (RFC 9110 9.3.6); or it is reached already, by a connection that the requests inside can share, where policy leaves
// nothing but to look at these. Then the client's stream enters the chains of an internal listener, as an accepted
// socket would.
#pragma once

#include <memory>
#include <string>

#include "source/chain/filter.h"
#include "source/io/dial.h"
#include "source/io/relay.h"
#include "source/upstream/next_hop.h"

namespace egret {

struct ConnectTunnelOptions {
  std::string listener;                            // an internal one, looked up at each CONNECT; empty: `built_in`
  std::shared_ptr<const ListenerChains> built_in;  // what the tunnel runs without one
  std::shared_ptr<const NextHop> next_hop;         // null: direct
  DialOptions dial;
  RelayLimits relay;
};

class ConnectTunnelFilter final : public HttpFilter {
 public:
  explicit ConnectTunnelFilter(ConnectTunnelOptions options);
  [[clang::coro_wrapper]] Task<Response> Handle(Exchange& exchange, HttpNext next) const override;

 private:
  Task<Response> Open(Exchange& exchange) const;
  ConnectTunnelOptions options_;
};

}  // namespace egret
