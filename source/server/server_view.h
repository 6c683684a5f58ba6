// What the pages see of the server, and the few things that they may command. On the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/chain/access_log.h"
#include "source/event/task.h"
#include "source/server/ask_workers.h"
#include "source/server/configuration.h"
#include "source/server/key_fetches.h"
#include "source/server/options.h"
#include "source/server/previews.h"
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
  const Workers& workers;
  Previews& previews;
  const LogQueue& log;
  const SecretWatch& secrets;
  const KeyFetches& key_fetches;
  Loop& loop;  // the main one
  int64_t started_unix;
  const bool& ready;  // it has been, once
  const bool& draining;
  bool& health_failed;          // an operator says that no traffic should come
  std::function<void()> drain;  // winds down in order; once is enough
  std::function<void()> quit;   // the same, then the process ends
};

// What /ready says.
inline bool TakesTraffic(const ServerView& server) { return server.ready && !server.draining && !server.health_failed; }

inline std::string_view StateOf(const ServerView& server) {
  if (server.draining) return "DRAINING";
  if (!server.ready) return "INITIALIZING";
  return server.health_failed ? "FAILED" : "LIVE";
}

template <class T>
[[clang::coro_wrapper]] Task<std::vector<T>> AskWorkers(const ServerView& server, std::function<T(Worker&)> ask) {
  return AskWorkers(server.workers, server.loop, std::move(ask));
}

}  // namespace egret
