// What the pages see of the server, and the few things that they may command. On the main thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/chain/access_log.h"
#include "source/event/pending.h"
#include "source/event/task.h"
#include "source/server/configuration.h"
#include "source/server/options.h"
#include "source/server/secret_watch.h"
#include "source/server/worker_thread.h"
#include "source/xds/push_status.h"

namespace egret {

// All of it outlives the pages.
struct ServerView {
  const Options& options;
  const std::shared_ptr<const Configuration>& now;            // what is in force: keep a share of it across waits
  std::function<std::shared_ptr<const PushStatus>()> pushed;  // gives null where nothing is
  std::function<std::vector<std::string>()> file_errors;      // why the file as it was read last is not in force
  const std::vector<std::unique_ptr<WorkerThread>>& workers;
  const LogQueue& log;
  const SecretWatch& secrets;
  Loop& loop;  // the main one
  int64_t started_unix;
  const bool& ready;  // it has been, once
  const bool& draining;
  bool& health_failed;          // an operator says that no traffic should come
  std::function<void()> drain;  // winds down in order; once is enough
  std::function<void()> quit;   // the same, then the process ends
};

inline std::string_view StateOf(const ServerView& server) {
  if (server.draining) return "DRAINING";
  if (!server.ready) return "INITIALIZING";
  return server.health_failed ? "FAILED" : "LIVE";
}

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
