// Serves one exchange: runs its HTTP chain, sends what comes of it, and ends early where the exchange is ended from
// outside. The same for both protocol versions.
#pragma once

#include <cstdint>
#include <memory>

#include "source/chain/exchange.h"

namespace egret {

struct ServeLimits {
  uint64_t client_fin_grace_ms = 1000;
  uint64_t total_ms = 0;  // of the whole exchange; 0: none
};

struct ServeEnd {
  bool intact = false;  // a whole response is out; else the client's stream must be aborted
  std::unique_ptr<Takeover> takeover;
};

// `chain` is not empty. The exchange's tasks have ended when this returns.
Task<ServeEnd> Serve(Exchange& exchange, const HttpFilters& chain, const ServeLimits& limits);

// For what never reached a chain: sends a reply of ours.
Task<ServeEnd> SendResponse(Exchange& exchange, Response response);

}  // namespace egret
