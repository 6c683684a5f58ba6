// The way down of the whole process: tells the workers, and ends the main loop once they have nothing open any more or
// the time is up. On the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/chain/drain.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/server/options.h"
#include "source/server/worker_thread.h"

namespace egret {

// What is configured; the command line's word counts more.
DrainTimes DrainTimesOf(const config::v1::Bootstrap& bootstrap, const Options& options);

class Drain {
 public:
  // All outlive it.
  Drain(Loop& loop, DrainTimes times, const std::vector<std::unique_ptr<WorkerThread>>& workers)
      : loop_(loop), times_(times), workers_(workers) {}

  // Winds down. The process stays. Once is enough.
  void Begin();
  // Another process accepts from the same sockets: winds down without a grace, then stops the loop.
  void TakenOver();
  // Winds down, then stops the loop. Asked a second time it stops the loop at once.
  void Quit();

  const bool& begun() const { return begun_; }
  // From Quit() to the end of the process, at most.
  uint64_t within_ms() const;
  // For WorkerThread::Setup: may be called on any thread.
  std::function<void()> OnWorkerDrained();

 private:
  void Start(DrainTimes times);
  void StopInTheEnd();
  Task<void> StopWhenDrained();

  Loop& loop_;
  const DrainTimes times_;
  const std::vector<std::unique_ptr<WorkerThread>>& workers_;
  bool begun_ = false, quitting_ = false;
  uint64_t until_ms_ = 0;
  size_t workers_drained_ = 0;
  Gate drained_{false};
  Nursery stopping_;
};

}  // namespace egret
