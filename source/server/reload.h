// The configuration file, read again while traffic flows: on SIGHUP, on a thread of its own.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/server/live_config.h"
#include "source/server/options.h"

namespace egret {

class Reload {
 public:
  // Both outlive it. `running`: what the process started with.
  Reload(const Options& options, std::shared_ptr<const config::v1::Bootstrap> running, LiveConfig& live)
      : options_(options), running_(std::move(running)), live_(live) {}
  ~Reload() { Stop(); }
  Reload(const Reload&) = delete;
  Reload& operator=(const Reload&) = delete;

  // Reads it soon, once however often this is called meanwhile. What is wrong with it is told, and nothing changes.
  void Start();
  // From any thread: what was wrong with it when it was read last; empty: it is in force.
  std::vector<std::string> errors() const;
  // After LiveConfig::Stop().
  void Stop();

 private:
  void Run();
  void Once();

  const Options& options_;
  const std::shared_ptr<const config::v1::Bootstrap> running_;
  LiveConfig& live_;
  mutable std::mutex mutex_;
  std::condition_variable told_;
  bool wanted_ = false, stopped_ = false;
  std::vector<std::string> errors_;
  std::thread thread_;
};

// What may change while the process runs, of `read`; the rest as it is `running`. `kept`: names of fields that differ
// there, and take a restart.
config::v1::Bootstrap WithLiveFields(const config::v1::Bootstrap& running, const config::v1::Bootstrap& read,
                                     std::vector<std::string>& kept);

}  // namespace egret
