// The tunnel that connect_tunnel runs without a listener: TLS is relayed once its name agrees, clear HTTP is read
// request by request, anything else needs a rule for it.
#pragma once

#include <memory>

#include "source/chain/listener.h"
#include "source/filters/connect_tunnel.h"
#include "source/filters/http_connection.h"

namespace egret {

// `http`: the connection in which CONNECT is served. `tunnel`: the filter that serves it, with its next hop.
std::shared_ptr<const ListenerChains> BuiltInTunnel(const HttpConnectionOptions& http,
                                                    const ConnectTunnelOptions& tunnel);

}  // namespace egret
