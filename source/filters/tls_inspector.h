// tls_inspector: learns what a connection carries from its first bytes, without consuming them: TLS (and what its
// ClientHello says), clear HTTP, or something else. A server that speaks first is something else, noticed at once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "source/chain/filter.h"

namespace egret {

struct TlsInspectorOptions {
  uint64_t timeout_ms = 5000;           // from the first byte to a verdict; after it the connection is OTHER
  size_t max_bytes = size_t{64} << 10;  // of a ClientHello; a longer one is refused
};

class TlsInspectorFilter final : public NetworkFilter {
 public:
  explicit TlsInspectorFilter(TlsInspectorOptions options) : options_(options) {}
  Task<void> Handle(Connection& connection, NetworkNext next) const override;

 private:
  TlsInspectorOptions options_;
};

}  // namespace egret
