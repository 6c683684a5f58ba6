#include "source/filters/connect_tunnel.h"

#include <optional>
#include <utility>

#include "source/base/check.h"
#include "source/chain/connection.h"
#include "source/chain/exchange.h"
#include "source/chain/listener.h"
#include "source/chain/live_facts.h"
#include "source/chain/local_reply.h"
#include "source/filters/origin_route.h"
#include "source/filters/reach.h"
#include "source/upstream/pool.h"

namespace egret {
namespace {

// An answered CONNECT: the client's stream as a connection of its own.
class Tunnel final : public Takeover {
 public:
  Tunnel(Exchange& exchange, std::shared_ptr<const ListenerChains> listener, const RelayLimits& relay)
      : child_(std::make_unique<Connection>(exchange.worker(), nullptr)), ending_(*child_) {
    const Connection& parent = exchange.connection();
    if (parent.worker.chains().Find(listener->name) == listener) {
      child_->RunBy(std::move(listener));
    } else {  // built in: a part of the parent's
      child_->ends = parent.ends;
      child_->listener = std::move(listener);
    }
    child_->target = exchange.target;
    child_->relay_limits = relay;
    child_->peer = parent.peer;
    child_->local = parent.local;
    child_->identity = exchange.identity;
    child_->tls = parent.tls;
    child_->policies = parent.policies;
    child_->depth = static_cast<uint8_t>(parent.depth + 1);
  }
  Connection& child() { return *child_; }

  [[clang::coro_wrapper]] Task<Handover> Run(std::unique_ptr<Stream> client, RecordHolder record) override {
    record.OpenTunnel();
    ending_.Register(*record);
    child_->stream = std::move(client);
    child_->parent_id = record->request_id;
    child_->record = std::move(record);
    return RunChild();
  }

 private:
  // What its chain left goes on in the tunnel's place if it took the tunnel's record. What one of the requests inside
  // turned into runs within the tunnel.
  Task<Handover> RunChild() {
    if (co_await ending_.Run(RunConnection(*child_))) {
      Handover next = TakeHandover(*child_);
      if (!child_->record) co_return std::move(next);
      co_await ending_.Run(RunTakeovers(std::move(next)));
    } else {
      child_->stream->Abort();
    }
    co_return Handover{};
  }

  // As long as a chain runs it is not relayed, so what can be allowed inside may go on: each request is judged.
  class Ending final : public TunnelEnding {
   public:
    explicit Ending(const Connection& child) : child_(child) {}
    Decision Reconsider(Worker& worker) const override {
      if (!child_.binding) return Kept();
      std::optional<IpAddress> peer;
      if (child_.upstream && !child_.binding->remote) peer = child_.upstream->peer().address;
      return worker.policy().Reconsider(*child_.binding, peer, child_.policies.value_or(PolicyStack()), FactsOf(child_),
                                        Policy::Live::kInspected);
    }

   private:
    const Connection& child_;
  };

  std::unique_ptr<Connection> child_;
  Ending ending_;
};

Response Established(std::unique_ptr<Tunnel> tunnel) {
  Response response;
  response.head.status = 200;
  response.head.reason = "Connection established";
  response.takeover = std::move(tunnel);
  return response;
}

// A live connection of HTTP/2 that an inspected tunnel to this very origin left, and that this tunnel's requests would
// be admitted to. Null: none; or something else than inspection may come of the tunnel, which takes a connection of its
// own.
const Http2Link* FindReserved(Exchange& exchange, const NextHop* hop) {
  if (ParentResolves(hop)) return nullptr;  // whose address would it be
  Worker& worker = exchange.worker();
  UpstreamPool& pool = worker.pool();
  const PoolKey* const key = pool.known_keys().Find(OriginOf(exchange.identity.get(), *exchange.target, hop));
  if (key == nullptr) return nullptr;
  return pool.FindShared(*key, [&](const IpAddress& peer) {
    return worker.policy().OnlyInspects(*exchange.admission, exchange.facts(), peer);
  });
}

void Reserve(const Http2Link& link, Exchange& exchange, Connection& child) {
  child.reserved = true;
  Binding& binding = child.binding.emplace();
  binding.target = *exchange.target;
  binding.resolved = {link.peer.address};
  exchange.record().upstream = link.peer.ToString();
  exchange.record().upstream_reused = true;
}

}  // namespace

ConnectTunnelFilter::ConnectTunnelFilter(ConnectTunnelOptions options) : options_(std::move(options)) {}

Task<Response> ConnectTunnelFilter::Handle(Exchange& exchange, HttpNext next) const {
  return exchange.connect() ? Open(exchange) : next(exchange);
}

Task<Response> ConnectTunnelFilter::Open(Exchange& exchange) const {
  Connection& connection = exchange.connection();
  std::shared_ptr<const ListenerChains> listener =
      options_.listener.empty() ? options_.built_in : exchange.worker().chains().Find(options_.listener);
  if (listener == nullptr) co_return LocalReply(exchange, {Side::kEgret, Fault::kNoChain});
  if (connection.depth >= Connection::kMaxDepth) co_return LocalReply(exchange, {Side::kEgret, Fault::kDepth});
  CHECK(exchange.admission.has_value());  // no dial without policy: the validator sees to it

  if (const Http2Link* const link = FindReserved(exchange, options_.next_hop.get())) {
    auto tunnel = std::make_unique<Tunnel>(exchange, std::move(listener), options_.relay);
    Reserve(*link, exchange, tunnel->child());
    co_return Established(std::move(tunnel));
  }
  Reached reached = co_await Reach(exchange, *exchange.admission, options_.next_hop.get(), options_.dial);
  if (reached.refusal) co_return std::move(*reached.refusal);
  auto tunnel = std::make_unique<Tunnel>(exchange, std::move(listener), options_.relay);
  tunnel->child().binding = std::move(reached.binding);
  tunnel->child().upstream = std::move(reached.dialled);
  co_return Established(std::move(tunnel));
}

}  // namespace egret
