#include "source/filters/tcp_relay.h"

#include <optional>
#include <utility>

#include "source/base/check.h"

namespace egret {
namespace {

// All that an idle tunnel is, with its record, its two streams and the frames of a session.
class RelayedTunnel final : public Takeover {
 public:
  RelayedTunnel(std::unique_ptr<Stream> upstream, const RelayLimits& limits, LiveFacts facts)
      : limits_(limits), ending_(record_, std::move(facts)), upstream_(std::move(upstream)) {}
  // Keeps the record's byte counts true where the relay is destroyed, too. Then both sides are reset: neither may take
  // what it got for the whole.
  ~RelayedTunnel() override {
    if (!record_) return;
    record_->live_received = record_->live_sent = nullptr;
    record_->live_held = nullptr;
    record_->received_bytes += counters_.to_upstream.Read();
    record_->sent_bytes += counters_.to_client.Read();
    if (over_) return;
    client_->Abort();
    upstream_->Abort();
  }

  [[clang::coro_wrapper]] Task<Handover> Run(std::unique_ptr<Stream> client, RecordHolder record) override {
    record_ = std::move(record);
    client_ = std::move(client);
    if (!record_->open_tunnel) record_.OpenTunnel();  // an Upgrade's
    ending_.Register(*record_);
    record_->live_received = &counters_.to_upstream;
    record_->live_sent = &counters_.to_client;
    record_->live_held = &counters_.held;
    return RelayRecorded();
  }

 private:
  Task<Handover> RelayRecorded() {
    const RelayEnd end = co_await Relay(*client_, *upstream_, limits_, counters_, ending_.gate());
    over_ = true;
    if (end.reason != RelayEnd::kToldToEnd) {
      record_->close_reason = NameOf(end.reason);
      if (const Failure failure = FailureOf(end.reason)) record_->Fail(failure);
    }
    co_return Handover{};
  }

  class Ending final : public TunnelEnding {
   public:
    Ending(const RecordHolder& record, LiveFacts facts) : record_(record), facts_(std::move(facts)) {}
    Decision Reconsider(Worker& worker) const override { return facts_.Judge(worker, *record_); }

   private:
    const RecordHolder& record_;
    LiveFacts facts_;
  };

  RelayLimits limits_;
  RecordHolder record_;
  Ending ending_;
  std::unique_ptr<Stream> client_, upstream_;
  RelayCounters counters_;
  bool over_ = false;
};

}  // namespace

std::unique_ptr<Takeover> MakeRelay(std::unique_ptr<Stream> upstream, const RelayLimits& limits, LiveFacts facts) {
  return std::make_unique<RelayedTunnel>(std::move(upstream), limits, std::move(facts));
}

namespace {

// What relays outlives the chain, and needs nothing more of the connection.
Task<void> LeaveRelay(Connection& connection, std::unique_ptr<Stream> upstream, LiveFacts facts) {
  connection.handover = {MakeRelay(std::move(upstream), connection.relay_limits, std::move(facts)), nullptr,
                         std::move(connection.record)};
  co_return;
}

// A parent that resolves stands where the destination's address would be.
LiveFacts TakeFacts(Connection& connection) {
  Binding binding = std::move(*connection.binding);
  connection.binding.reset();
  std::optional<IpAddress> peer;
  if (!binding.remote) peer = connection.upstream->peer().address;
  return LiveFacts(std::move(binding), peer, *connection.policies, FactsOf(connection), connection.identity);
}

}  // namespace

Task<void> TcpRelayFilter::Handle(Connection& connection, NetworkNext /*terminal*/) const {
  // The validator lets no chain get here without egress_policy; what it denied or wants read has no relay permit.
  if (!connection.relay_permit || !connection.upstream)
    return RefuseTunnel(connection, {Side::kEgret, Fault::kNoChain});
  CHECK(connection.record && connection.binding && connection.policies);
  LiveFacts facts = TakeFacts(connection);
  std::unique_ptr<Stream> upstream = std::move(*connection.upstream).Open(*connection.relay_permit);
  connection.upstream.reset();
  return LeaveRelay(connection, std::move(upstream), std::move(facts));
}

}  // namespace egret
