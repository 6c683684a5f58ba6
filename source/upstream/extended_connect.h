// A request to switch to WebSocket, on a stream of HTTP/2: sent as an extended CONNECT, and its 2xx read as the 101
// that HTTP/1.1 would have said (RFC 8441 5).
#pragma once

#include <memory>

#include "source/upstream/request.h"

namespace egret {

// Takes a request on a connection of HTTP/2. SendHead is for what MayExtendConnect, without a body; it fails with
// kUpstreamBadUpgrade, nothing sent, where the peer does not take extended CONNECT. ReadHead gives 101 for every 2xx.
std::unique_ptr<UpstreamRequest> AsExtendedConnect(std::unique_ptr<UpstreamRequest> on_http2);

}  // namespace egret
