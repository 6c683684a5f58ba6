// Bytes both ways between two streams until both have ended, one broke, or a limit was reached.
//
//      client ──read──► (buffer, borrowed) ──write──► upstream      and the same back
//
// A side is read only when the other can take something. FIN is passed on after the bytes before it, and the other
// direction lives on; a reset is passed on as a reset. While nothing moves, no buffer is held.
#pragma once

#include <cstdint>
#include <string_view>

#include "source/base/counter.h"
#include "source/base/failure.h"
#include "source/event/task.h"
#include "source/io/stream.h"

namespace egret {

struct RelayLimits {
  uint64_t idle_ms = 300000;        // without a byte in either direction; 0: none
  uint64_t half_closed_ms = 60000;  // the same once one side has ended; 0: as idle_ms
  uint64_t lifetime_ms = 86400000;  // 0: none
};

// Bytes taken by the other side so far; others may read them while the relay runs.
struct RelayCounters {
  Counter to_upstream, to_client;
  Gauge held;  // read from one side and not yet taken by the other
};

struct RelayEnd {
  enum Reason : uint8_t {
    kClientFin,    // both sides ended in order, the client first
    kUpstreamFin,  // ... the upstream first
    kClientReset,  // the client's stream broke
    kUpstreamReset,
    kClientSevered,  // the client's stream ended without its protocol's goodbye: a reset for the other side, since what
                     // came may be cut short
    kUpstreamSevered,
    kIdleTimeout,
    kHalfClosedTimeout,
    kLifetime,
    kToldToEnd,  // by its gate
  } reason = kClientFin;
  int error = 0;  // of the stream that broke, where one is known
  uint64_t to_upstream = 0, to_client = 0;

  bool in_order() const { return reason == kClientFin || reason == kUpstreamFin; }
};

std::string_view NameOf(RelayEnd::Reason reason);  // "client_fin"
Failure FailureOf(RelayEnd::Reason reason);        // kNone where both ended in order

// Where it does not end in order, both streams are left aborted: destroying them resets. When `ending` opens, it ends.
// All five outlive the task.
Task<RelayEnd> Relay(Stream& client, Stream& upstream, const RelayLimits& limits, RelayCounters& live, Gate& ending);

}  // namespace egret
