// From "may be asked for" to a connection: resolve, judge the addresses (stage A), dial. What was checked is what is
// dialled; a name that stage T denied never gets here.
#pragma once

#include <optional>

#include "source/chain/exchange.h"
#include "source/chain/response.h"
#include "source/io/dial.h"
#include "source/upstream/dialled.h"
#include "source/upstream/next_hop.h"

namespace egret {

struct Reached {
  std::optional<Dialled> dialled;
  std::optional<Binding> binding;        // with it
  std::optional<RequestPermit> request;  // with it, where a plain request asked
  std::optional<Response> refusal;       // where nothing was dialled
};

// All references outlive the task. `hop` may be null. Writes what it did into the exchange's record.
Task<Reached> Reach(Exchange& exchange, const Admission& admission, const NextHop* hop, const DialOptions& options);

}  // namespace egret
