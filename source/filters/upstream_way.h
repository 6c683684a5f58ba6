// A connection to send a request on: the tunnel's own, one from the pool, or a new one, in clear or within TLS.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "source/chain/exchange.h"
#include "source/chain/response.h"
#include "source/event/task.h"
#include "source/filters/origin_route.h"
#include "source/upstream/request.h"

namespace egret {

struct UpstreamWay {
  std::unique_ptr<UpstreamRequest> request;
  bool to_parent = false;  // it leads to a parent that resolves names; else to the origin, maybe through a parent
  std::optional<Response> refusal;  // instead
};

// A second attempt takes nothing that was there at the first: `after` is the number of the connection that failed.
struct Attempt {
  bool second = false;
  uint64_t after = 0;
};

// All references outlive the task. Writes what it did into the exchange's record.
Task<UpstreamWay> FindWay(Exchange& exchange, const OriginRoute& route, const ForwardRouterOptions& options,
                          Attempt attempt);

}  // namespace egret
