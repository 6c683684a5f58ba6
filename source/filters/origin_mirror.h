// What the origin of an intercepted tunnel is like, found out before its client is answered: which protocol it speaks
// and what its certificate says. A connection to it that is open already tells as well as a new handshake, and so does
// one that somebody else is about to make: of a burst of tunnels to an origin of HTTP/2 one shakes hands.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/failure.h"
#include "source/chain/connection.h"
#include "source/event/task.h"
#include "source/filters/origin_route.h"
#include "source/tls/certificates.h"
#include "source/tls/tls_alert.h"

namespace egret {

// The ways in which what a client offers becomes what its origin is offered.
using OriginHttp2 = ForwardRouterOptions::Http2;

// `client`: what it offers. What both know of HTTP/2 and HTTP/1.1, as far as the router behind speaks it to origins;
// empty where the client offers nothing.
std::vector<std::string> OfferToOrigin(const std::vector<std::string>& client, OriginHttp2 http2);

// What a client that offers `client` may agree on, where its origin has agreed on `agreed` (empty: on nothing) and the
// chain speaks `spoken`: what the origin has, else HTTP/1.1, else HTTP/2, between which the chain translates. Empty:
// there is nothing, or the client does not speak ALPN.
std::vector<std::string> AnswerToClient(const std::vector<std::string>& client, const std::vector<std::string>& spoken,
                                        std::string_view agreed);

struct OriginImage {
  Fault fault = Fault::kNone;                 // of the origin's side: nothing else is known then
  TlsAlert alert = TlsAlert::kInternalError;  // what tells a client so
  std::string detail = {};                    // in the TLS library's words
  bool client_gone = false;                   // nobody is left to be told
  bool live = false;                          // a connection that was there already told
  bool unknown = false;                       // what was reserved is not there any more, or not this chain's
  std::string_view alpn = {};                 // "h2", "http/1.1"; empty: nothing was agreed on
  X509Ptr certificate = {};
};

// Of a tunnel that may be inspected and has its origin_tls. Where a pooled connection tells, be it the one that was
// reserved, the tunnel's own is
// closed; else it shakes hands, and is the pool's if it agrees on HTTP/2, or the tunnel's, for its first request.
// `router`: of the chain behind. Writes what it did into the tunnel's record. All references outlive the task.
Task<OriginImage> LookAtOrigin(Connection& connection, const ForwardRouterOptions& router, uint64_t handshake_ms);

// At the tunnel's end: what shook hands and was asked nothing is as good for others.
void KeepUnasked(Connection& connection, const ForwardRouterOptions& router);

}  // namespace egret
