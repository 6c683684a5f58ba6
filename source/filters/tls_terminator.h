// tls_terminator: the listener's own TLS, the "HTTPS proxy". It ends the client's TLS and passes the bytes inside on;
// whoever showed a certificate is known by it from here on. Where clients in clear are taken too, the first byte says
// which kind this one is. A failed handshake has a line of its own in the access log: nothing was asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "source/base/current.h"
#include "source/chain/filter.h"
#include "source/tls/tls_context.h"

namespace egret {

struct TlsTerminatorOptions {
  std::shared_ptr<const Current<TlsServerContext>> context;  // read for each handshake: certificates are renewed
  bool plaintext_too = false;
  uint64_t handshake_ms = 10000;
};

class TlsTerminatorFilter final : public NetworkFilter {
 public:
  explicit TlsTerminatorFilter(TlsTerminatorOptions options) : options_(std::move(options)) {}
  Task<void> Handle(Connection& connection, NetworkNext next) const override;

 private:
  TlsTerminatorOptions options_;
};

}  // namespace egret
