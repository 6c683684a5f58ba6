// All of a worker in one process, on a loop that the test turns by hand: clients on pipes, the chains that the default
// config builds, real dialling over loopback, origins that follow a script. No threads; waiting costs no time, since
// where nothing moves the loop's clock is moved on.
//
//   client scripts ── pipes ── sessions (chains, pool, policy) ── loopback ── origin scripts
//
// Names: "origin.test" and "raw.test" (the latter may carry any protocol) lead to the origin, "refused.test" to a port
// that nobody listens on; "nowhere.test" does not exist, "private.test" has a private address, and no rule allows
// "denied.test". What tunnels to "read.test" carry may only be read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/chain/access_log.h"
#include "source/chain/drain.h"
#include "source/chain/worker.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/filters/forward_router.h"
#include "source/filters/http_connection.h"
#include "source/filters/mitm_terminator.h"
#include "source/io/listen.h"
#include "source/upstream/next_hop.h"
#include "test/support/peer.h"

namespace egret {

class ProxyBench;

// The limits of the bench: short, so that few timers fire before a run is over.
HttpConnectionOptions ImpatientHttp();
ForwardRouterOptions ImpatientRouter();

struct BenchSetup {
  // What an origin's connection does, the `nth` that was accepted, from 1. Null: it is accepted and nothing happens.
  Task<void> (*origin)(Peer& proxy, int nth) = nullptr;
  // The origin is a parent proxy, asked to resolve by itself or for addresses.
  std::optional<NextHop::Resolve> parent = std::nullopt;
  size_t client_room = size_t{64} << 10;  // bytes that a client's pipe takes before somebody reads them
  HttpConnectionOptions http = ImpatientHttp();
  ForwardRouterOptions router = ImpatientRouter();
  const MitmTerminatorOptions* decrypt = nullptr;  // of tunnels to "read.test"; outlives the bench
};

// One line of the access log: its members by name, nested ones as they stand.
using LogLine = std::map<std::string, std::string, std::less<>>;

class ProxyBench final : public AcceptSink {
 public:
  using ClientScript = Task<void> (*)(ProxyBench& bench);

  ProxyBench(Loop& loop, const BenchSetup& setup);
  ~ProxyBench();
  ProxyBench(const ProxyBench&) = delete;
  ProxyBench& operator=(const ProxyBench&) = delete;

  // Runs beside what runs already; its peers are closed when it ends.
  void Start(ClientScript script);
  // For a client's script: a new connection to the proxy.
  Peer& Connect();
  // "origin.test:40001"
  std::string Authority(std::string_view name) const;

  // One turn. False: nothing moves, and no timer is armed.
  bool Turn();
  // Every client's script and every session has ended.
  bool Idle() const { return scripts_.empty() && sessions_.empty(); }
  // Turns until Idle(). False: it never came.
  [[nodiscard]] bool Finish(int turns = 20000);

  // Faults. Whoever's end it is, its scripts stop.
  enum class Break { kReset, kClose, kFin };  // kFin: ends its side and listens to the end
  void BreakClients(Break how);
  void BreakOrigins(Break how);
  void EndSessions() { sessions_.Clear(); }
  // Winds the worker down: idle connections end within 20 ms, unused ones after 2 s, all that lives after a minute.
  void Drain() {
    winding_down_.Start(WindDown(*worker_, {0, 60000, 20}, [] {}));
  }
  // As an operator does: every exchange and tunnel that is under way.
  void EndRecords();

  Worker& worker() { return *worker_; }
  uint16_t origin_port() const { return origin_port_; }
  const std::vector<std::unique_ptr<Peer>>& clients() const { return clients_; }
  const std::vector<std::unique_ptr<Peer>>& origins() const { return origins_; }
  // Ends the worker; then what it logged, in order. Fails the test where a line is no JSON object.
  std::vector<LogLine> TakeLog();

 private:
  void Accepted(int fd, const Endpoint& peer) override;
  std::shared_ptr<const Chains> MakeChains(const BenchSetup& setup) const;
  Task<void> RunClient(ClientScript script);
  Task<void> RunOrigin(Peer& peer, int nth);
  Task<void> RunSession(std::unique_ptr<Stream> stream);
  void BreakAll(std::vector<std::unique_ptr<Peer>>& peers, Nursery& scripts, Break how);

  Loop& loop_;
  BenchSetup setup_;
  ListenSocket listener_;
  int refusing_fd_;  // bound, not listening
  uint16_t origin_port_, refused_port_;
  AcceptCounters accept_counters_;
  LogQueue log_;
  std::unique_ptr<Worker> worker_;
  std::vector<std::unique_ptr<Peer>> clients_, origins_;
  Nursery sessions_, scripts_, origin_scripts_, accepting_, winding_down_;
};

}  // namespace egret
