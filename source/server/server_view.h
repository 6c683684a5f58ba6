// What the pages see of the server, and the few things that they may command. On the main thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/chain/access_log.h"
#include "source/event/pending.h"
#include "source/event/task.h"
#include "source/filters/tap_file.h"
#include "source/io/listen.h"
#include "source/policy/policy.h"
#include "source/server/connection_limits.h"
#include "source/server/options.h"
#include "source/server/secret_watch.h"
#include "source/server/worker_thread.h"

namespace egret {

struct BoundListener {
  std::string name;
  ListenAddress address;
  std::shared_ptr<const ConnectionCount> connections;  // open ones, over all workers
};

// All of it outlives the pages.
struct ServerView {
  const Options& options;
  const config::v1::Bootstrap& bootstrap;
  const std::vector<BoundListener>& listeners;
  const std::vector<std::unique_ptr<WorkerThread>>& workers;
  const std::shared_ptr<const Policy>& policy;
  const LogQueue& log;
  const SecretWatch& secrets;
  const std::vector<std::shared_ptr<const TapFile>>& taps;
  Loop& loop;  // the main one
  int64_t started_unix;
  const bool& draining;
  bool& health_failed;          // an operator says that no traffic should come
  std::function<void()> drain;  // winds down in order; once is enough
  std::function<void()> quit;   // the same, then the process ends
};

// What `ask` gives on each worker's own thread, all at once. A worker that has ended gives nothing.
template <class T>
Task<std::vector<T>> AskWorkers(const ServerView& server, std::function<T(Worker&)> ask) {
  std::deque<Pending<T>> answers;
  for (const auto& worker : server.workers) {
    Pending<T>& answer = answers.emplace_back();
    const bool asked = worker->Post([state = answer.state(), main = server.loop.mailbox(), ask](Worker& on) {
      Pending<T>::FulfilFrom(main, state, ask(on));
    });
    if (!asked) answers.pop_back();
  }
  std::vector<T> all;
  for (Pending<T>& answer : answers) all.push_back(co_await answer);
  co_return all;
}

}  // namespace egret
