// WebSocket's opening handshake as it crosses a proxy (RFC 6455 4, RFC 8441 5). Inside Egret it is what HTTP/1.1 makes
// of it, whoever speaks which version: GET with Upgrade and a key, answered by 101 with what follows from the key. Over
// HTTP/2 it is an extended CONNECT and 2xx, without a key: the edges turn one into the other.
#pragma once

#include <string>
#include <string_view>

#include "source/http/head.h"

namespace egret {

// The token of Upgrade and of :protocol; compared without regard to case.
inline constexpr std::string_view kWebSocket = "websocket";

// A fresh Sec-WebSocket-Key: base64 of 16 random bytes.
std::string MakeWebSocketKey();
// The Sec-WebSocket-Accept that answers a key, as it was sent (RFC 6455 4.2.2).
std::string WebSocketAccept(std::string_view key);

// Completes a request that asks for WebSocket and has had its hop-by-hop fields taken off: Upgrade is put back. What
// came as an extended CONNECT (`protocol` is set) gets a key of ours, whatever it said itself.
void AddWebSocketOffer(Head& request);

// The one key of a request; empty: none, several, or none that RFC 6455 knows.
std::string_view WebSocketKey(const Head& request);

// Whether a request that offers WebSocket can be an extended CONNECT as well: a GET with Upgrade and one sound key.
// That it has no body is for the caller to see.
bool MayExtendConnect(const Head& request);
// It as an extended CONNECT to be sent: without Upgrade and key.
Head MakeExtendedConnect(const Head& request);
// The 2xx to it as the 101 to that key.
void MakeSwitch(Head& response, std::string_view key);

// Whether a 101, as received, switches to the WebSocket that the request asked for (RFC 6455 4.1): one Upgrade that
// says so, Connection that names it, and the one answer to the request's key. A request without a key, which is none of
// RFC 6455's, is answered without one.
bool AcceptsWebSocket(const Head& request, const Head& response);

// What a client is told of a switch, from a 101 without hop-by-hop fields: 101 with Upgrade, or 200 to an extended
// CONNECT (RFC 8441 5).
void TellOfWebSocket(const Head& request, Head& response);

}  // namespace egret
