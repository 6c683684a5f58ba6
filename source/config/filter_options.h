// Protobuf -> the options of filters, as far as they are plain values. Of messages that Validate() found no fault with;
// what a message does not say stays at the default that its option has.
#pragma once

#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/ip.h"
#include "source/chain/listener.h"
#include "source/filters/connect_tunnel.h"
#include "source/filters/forward_router.h"
#include "source/filters/header_rewrite.h"
#include "source/filters/http_connection.h"
#include "source/filters/mitm_terminator.h"
#include "source/filters/proxy_protocol.h"
#include "source/filters/rate_limit.h"
#include "source/filters/tls_inspector.h"

namespace egret {

ChainMatch OptionsOf(const config::v1::ChainMatch& match);
ProxyProtocolOptions OptionsOf(const filters::network::v1::ProxyProtocol& message);
TlsInspectorOptions OptionsOf(const filters::network::v1::TlsInspector& message);
HttpConnectionOptions OptionsOf(const filters::network::v1::HttpConnection& message);
MitmTerminatorOptions OptionsOf(const filters::network::v1::MitmTerminator& message);
RateLimitOptions OptionsOf(const filters::http::v1::RateLimit& message);
ConnectTunnelOptions OptionsOf(const filters::http::v1::ConnectTunnel& message);
ForwardRouterOptions OptionsOf(const filters::http::v1::ForwardRouter& message);

using HeaderOperations = google::protobuf::RepeatedPtrField<filters::http::v1::HeaderRewrite::Operation>;
std::vector<HeaderOperation> OptionsOf(const HeaderOperations& messages);

std::vector<Cidr> Ranges(const google::protobuf::RepeatedPtrField<std::string>& texts);

}  // namespace egret
