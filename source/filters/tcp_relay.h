// tcp_relay: terminal; relays bytes between the client and the upstream that was dialled for its tunnel, unread.
#pragma once

#include <memory>

#include "source/chain/connection.h"
#include "source/chain/filter.h"
#include "source/chain/live_facts.h"
#include "source/chain/takeover.h"
#include "source/io/relay.h"

namespace egret {

class TcpRelayFilter final : public NetworkFilter {
 public:
  [[clang::coro_wrapper]] Task<void> Handle(Connection& connection, NetworkNext next) const override;
};

// Relays until both sides have ended, one broke, a limit was reached or the record is told to end. The record is told
// how it ended, and how much passed. Where it does not end in order, both sides are reset. `facts`: what it was allowed
// on.
std::unique_ptr<Takeover> MakeRelay(std::unique_ptr<Stream> upstream, const RelayLimits& limits, LiveFacts facts);

}  // namespace egret
