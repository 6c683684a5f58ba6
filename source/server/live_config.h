// What is in force, and how another configuration takes its place while traffic flows: made on whatever thread asks for
// it, put in force on the main one, worker by worker, between two turns of their loops.
//
//   any thread      validate, build, bind, compile        an error changes nothing
//   main            commit secrets and taps
//   every worker    close sockets that go                 ── all have done it ──►
//                   take the snapshot                     ── all have done it ──►
//                   accept on the new sockets
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/event/task.h"
#include "source/server/configuration.h"
#include "source/server/secret_watch.h"
#include "source/server/worker_thread.h"
#include "source/xds/config_sink.h"

namespace egret {

class LiveConfig final : public ConfigSink {
 public:
  // All outlive it.
  LiveConfig(Loop& main, ConfigurationMaker& maker, const std::vector<std::unique_ptr<WorkerThread>>& workers,
             SecretWatch& secrets);

  // The first one, before there are workers. On the main thread; those sockets are to be given to the workers.
  Result<PreparedConfiguration, std::vector<ConfigError>> Start(std::shared_ptr<const config::v1::Bootstrap> bootstrap,
                                                                HandedSockets& handed);
  // From any thread but the main one; blocks until it is in force, or says why it is not. Nothing more is put in force
  // after Stop().
  std::vector<ConfigError> Apply(std::shared_ptr<const config::v1::Bootstrap> effective) override;
  // From any thread: the sockets that listeners find before they open their own, until another set takes its place.
  void Hand(HandedSockets handed);
  // On the main thread: whoever waits in Apply() returns.
  void Stop();

  // On the main thread.
  const std::shared_ptr<const Configuration>& now() const { return now_; }

 private:
  struct Order;
  Task<void> PutInForce(std::shared_ptr<Order> order);
  Task<void> ChangeAll(std::vector<WorkerChange> changes);
  void Commit(const Configuration& next);

  Loop& main_;
  ConfigurationMaker& maker_;
  const std::vector<std::unique_ptr<WorkerThread>>& workers_;
  SecretWatch& secrets_;
  std::shared_ptr<const Configuration> now_;

  std::mutex applying_;  // one at a time
  HandedSockets handed_;
  std::mutex mutex_;
  std::condition_variable done_;
  bool stopped_ = false;
  Nursery tasks_;
};

}  // namespace egret
