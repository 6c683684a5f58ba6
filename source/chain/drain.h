// How a worker winds down: told first, ended later, and never all in one turn.
//
//   begin ──accept_grace──► stops accepting ─────────────────timeout──────────────► end
//     responses say close           idle connections end        what is still live is ended
//                                   (2nd half of `jitter`)      (the last `jitter`)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "source/chain/worker.h"
#include "source/event/task.h"

namespace egret {

struct DrainTimes {
  uint64_t accept_grace_ms = 0;  // accepting goes on for so long
  uint64_t timeout_ms = 15000;   // from there on, for what is open to end by itself
  uint64_t jitter_ms = 1000;     // endings are spread over so long

  uint64_t whole_ms() const { return accept_grace_ms + timeout_ms; }
};

// Ends when nothing is left to be told; what was told may still need some turns. Being destroyed it ends nothing more,
// and may be begun anew with other times.
//   - A client that asks at least every jitter/2 is told in a response; the others are ended, the longest idle first.
//   - Connections that have not asked for anything yet are given 2 s more: their first request may be on its way.
//   - Tunnels and requests that live to the end are ended with Fault::kDrain, which resets them.
Task<void> WindDown(Worker& worker, DrainTimes times, std::function<void()> stop_accepting);

// Of a listener that was changed or taken away: its connections are told in their next response, which is served as
// they were configured. Those that do not ask within 5 s are ended, spread over 5 s more; tunnels and requests that are
// open live on. Ends when nothing is left to be told.
Task<void> Retire(std::shared_ptr<ConnectionEnds> ends);

}  // namespace egret
