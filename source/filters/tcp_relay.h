// tcp_relay: terminal; relays bytes between the client and the upstream that was dialled for its tunnel, unread.
#pragma once

#include "source/chain/connection.h"
#include "source/chain/filter.h"
#include "source/io/relay.h"

namespace egret {

class TcpRelayFilter final : public NetworkFilter {
 public:
  [[clang::coro_wrapper]] Task<void> Handle(Connection& connection, NetworkNext next) const override;
};

// The record is told how it ended and how much passed.
Task<void> RelayRecorded(Stream& client, Stream& upstream, const RelayLimits& limits, ExchangeRecord& record);

}  // namespace egret
