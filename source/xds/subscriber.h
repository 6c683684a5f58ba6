// Pushed configuration, with all that it needs: the config thread, the connection to a server, the watched directory
// and what is kept on disk. Nothing of it runs on a worker or on the main thread.
#pragma once

#include <memory>
#include <string>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/xds/config_sink.h"
#include "source/xds/fleet_host.h"
#include "source/xds/push_status.h"

namespace egret {

struct SubscriberOptions {
  std::string release = {};           // of the proxy, for servers to see
  int keepalive_ms = 30'000;          // a quiet connection is asked for a sign of life
  int keepalive_timeout_ms = 10'000;  // ... and given up without one
  FleetHost* fleet = nullptr;         // null: the control plane is told nothing of this proxy; outlives Stop
};

class Subscriber {
 public:
  explicit Subscriber(SubscriberOptions options = {});
  ~Subscriber();  // stops
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  // Once. `bootstrap` is validated and has xds or directory. From here on the sink is called on the config thread:
  // first with what the bootstrap and the directory hold, then with each change. The sink lives until Stop has
  // returned.
  void Start(std::shared_ptr<const config::v1::Bootstrap> bootstrap, ConfigSink& sink);
  // Waits for an Apply that is under way. What is in force stays.
  void Stop();

  // The fleet's host has something to tell before its time. From any thread.
  void Hurry();

  // As it was a moment ago. From any thread; never blocks for long.
  std::shared_ptr<const PushStatus> Status() const;

 private:
  class Thread;
  const SubscriberOptions options_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace egret
