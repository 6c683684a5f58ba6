#include "source/filters/tcp_relay.h"

#include <utility>

#include "source/base/check.h"

namespace egret {
namespace {

// Keeps the record's byte counts true even where the relay is destroyed.
class CountInto {
 public:
  CountInto(const RelayCounters& live, ExchangeRecord& record) : live_(live), record_(record) {}
  ~CountInto() {
    record_.received_bytes += live_.to_upstream.Read();
    record_.sent_bytes += live_.to_client.Read();
  }
  CountInto(const CountInto&) = delete;
  CountInto& operator=(const CountInto&) = delete;

 private:
  const RelayCounters& live_;
  ExchangeRecord& record_;
};

Task<void> RelayOpened(Connection& connection, std::unique_ptr<Stream> upstream) {
  co_await RelayRecorded(*connection.stream, *upstream, connection.relay_limits, *connection.record);
}

}  // namespace

Task<void> RelayRecorded(Stream& client, Stream& upstream, const RelayLimits& limits, ExchangeRecord& record) {
  RelayCounters live;
  const CountInto counted(live, record);
  const RelayEnd end = co_await Relay(client, upstream, limits, live);
  record.close_reason = NameOf(end.reason);
  if (const Failure failure = FailureOf(end.reason)) record.Fail(failure);
}

Task<void> TcpRelayFilter::Handle(Connection& connection, NetworkNext /*terminal*/) const {
  // The validator lets no chain get here without egress_policy; what it denied or wants read has no relay permit.
  if (!connection.relay_permit || !connection.upstream)
    return RefuseTunnel(connection, {Side::kEgret, Fault::kNoChain});
  CHECK(connection.record != nullptr);
  std::unique_ptr<Stream> upstream = std::move(*connection.upstream).Open(*connection.relay_permit);
  connection.upstream.reset();
  return RelayOpened(connection, std::move(upstream));
}

}  // namespace egret
