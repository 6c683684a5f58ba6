#include "source/filters/tcp_relay.h"

#include <utility>

#include "source/base/check.h"

namespace egret {
namespace {

// Keeps the record's byte counts true while the relay runs, and where it is destroyed. Then both sides are reset:
// neither may take what it got for the whole.
class Relaying {
 public:
  Relaying(Stream& client, Stream& upstream, ExchangeRecord& record)
      : client_(client), upstream_(upstream), record_(record) {
    record_.live_received = &counters_.to_upstream;
    record_.live_sent = &counters_.to_client;
    record_.live_held = &counters_.held;
  }
  ~Relaying() {
    record_.live_received = record_.live_sent = nullptr;
    record_.live_held = nullptr;
    record_.received_bytes += counters_.to_upstream.Read();
    record_.sent_bytes += counters_.to_client.Read();
    if (over_) return;
    client_.Abort();
    upstream_.Abort();
  }
  Relaying(const Relaying&) = delete;
  Relaying& operator=(const Relaying&) = delete;

  RelayCounters& counters() { return counters_; }
  void Over() { over_ = true; }

 private:
  Stream& client_;
  Stream& upstream_;
  ExchangeRecord& record_;
  RelayCounters counters_;
  bool over_ = false;
};

Task<void> RelayOpened(Connection& connection, std::unique_ptr<Stream> upstream) {
  co_await RelayRecorded(*connection.stream, *upstream, connection.relay_limits, *connection.record);
}

}  // namespace

Task<void> RelayRecorded(Stream& client, Stream& upstream, const RelayLimits& limits, ExchangeRecord& record) {
  Relaying relaying(client, upstream, record);
  const RelayEnd end = co_await Relay(client, upstream, limits, relaying.counters());
  relaying.Over();
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
