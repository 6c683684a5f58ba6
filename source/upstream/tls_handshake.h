// TLS with whoever was dialled: an origin, a parent proxy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/failure.h"
#include "source/event/task.h"
#include "source/io/stream.h"
#include "source/tls/tls_alert.h"
#include "source/tls/tls_context.h"
#include "source/tls/tls_facts.h"

namespace egret {

struct TlsOffer {
  std::shared_ptr<const TlsClientContext> context;
  std::string name;               // whom the certificate has to be for, canonical
  std::vector<std::string> alpn;  // what may be spoken inside, in order of preference; empty: ALPN is not spoken
};

struct TlsOutcome {
  Fault fault = Fault::kNone;
  std::string detail = {};                       // why it failed, in the TLS library's words
  TlsAlert alert = TlsAlert::kHandshakeFailure;  // what would say the same to a client
  std::string_view version = {};                 // where it went well: "TLSv1.3"
  std::string alpn = {};                         // what was agreed on; empty: nothing, which is HTTP/1.1
  bool resumed = false;
  StapleVerdict staple = {};  // of the server's certificate; also where that was refused for it

  bool http2() const { return alpn == "h2"; }
};

inline constexpr std::string_view kAlpnHttp1 = "http/1.1", kAlpnHttp2 = "h2";

// Puts a TlsStream around `stream`, in its place; where that fails nothing is left of it. A server that agrees on
// nothing speaks HTTP/1.1: where that was not offered, it failed. `stream` outlives the task.
Task<TlsOutcome> ShakeHands(std::unique_ptr<Stream>& stream, const TlsOffer& offer, uint64_t timeout_ms);

}  // namespace egret
