// A worker with its thread: the loop, the listening sockets, and the sessions that came in by them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "source/chain/access_log.h"
#include "source/chain/drain.h"
#include "source/chain/snapshot.h"
#include "source/chain/worker.h"
#include "source/event/loop.h"
#include "source/io/ares_resolver.h"
#include "source/io/listen.h"
#include "source/server/connection_limits.h"
#include "source/server/worker_balance.h"
#include "source/tls/leaf_cache.h"

namespace egret {

// A listener's socket, for one worker.
struct WorkerSocket {
  std::string listener;  // whose chains its connections run
  uint64_t number = 0;   // of the listener's sockets, on all workers
  ListenSocket socket;
  std::shared_ptr<ConnectionCount> count;  // of the listener, over all workers
};

// What becomes of a worker's part of the configuration, in this order.
struct WorkerChange {
  std::vector<uint64_t> close;  // sockets; what waits in their queues is accepted before
  std::optional<Snapshot> take;
  std::vector<WorkerSocket> open;
};

class WorkerThread {
 public:
  struct Setup {
    uint32_t index = 0;
    AresResolverOptions resolver;
    Snapshot snapshot;
    std::vector<WorkerSocket> sockets;
    LogQueue* log = nullptr;
    ConnectionLimits* limits = nullptr;  // of all workers; outlives them
    WorkerBalance* balance = nullptr;    // the same
    std::function<void()> on_drained;    // called on the worker's thread, once it drains and nothing is open any more
  };

  // Starts the thread; returns once the worker accepts.
  explicit WorkerThread(Setup setup);
  // Ends what is open at once.
  ~WorkerThread();
  WorkerThread(const WorkerThread&) = delete;
  WorkerThread& operator=(const WorkerThread&) = delete;

  // From any thread. Winds down (source/chain/drain.h); a second time with other times.
  void Drain(DrainTimes times);
  // From any thread. `done` is called on the worker's once it is done. False: the worker has ended.
  bool Change(WorkerChange change, std::function<void()> done);
  // From any thread: runs `work` on the worker's, in one of its next turns.
  bool Post(std::function<void(Worker&)> work);

  // Their counters may be read from any thread while the worker lives.
  const WorkerCounters& counters() const { return *counters_; }
  const ResolverCounters& resolver_counters() const { return *resolver_counters_; }
  const AcceptCounters& accept_counters() const { return *accept_counters_; }
  const UpstreamPool& pool() const { return *pool_; }
  const LeafCache::Counters& leaf_counters() const { return *leaf_counters_; }
  const Counter& large_buffers_refused() const { return *large_buffers_refused_; }

 private:
  class Core;
  void Run(Setup setup, std::function<void()> started);

  std::shared_ptr<Mailbox> mailbox_;
  Core* core_ = nullptr;  // lives on the thread; touched by its posts only
  const WorkerCounters* counters_ = nullptr;
  const ResolverCounters* resolver_counters_ = nullptr;
  const AcceptCounters* accept_counters_ = nullptr;
  const UpstreamPool* pool_ = nullptr;
  const LeafCache::Counters* leaf_counters_ = nullptr;
  const Counter* large_buffers_refused_ = nullptr;
  std::thread thread_;
};

}  // namespace egret
