// Decisions and lines of the access log that the control plane's operators asked for. On the main thread.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "egret/control/v1/fleet.pb.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/event/task.h"
#include "source/server/fleet_outbox.h"
#include "source/server/followed_log.h"

namespace egret {

class FleetTails {
 public:
  static constexpr size_t kMost = 4;                       // at a time
  static constexpr size_t kMostBytes = size_t{512} << 10;  // of one report and tail; what is more is counted

  // All outlive it.
  FleetTails(const Workers& workers, Loop& main, FleetOutbox& outbox)
      : workers_(workers), main_(main), outbox_(outbox) {}

  // Begins one, or ends it.
  void Obey(const control::v1::Tail& order);
  // Nobody asks for any more.
  void Stop() { tails_.clear(); }

 private:
  struct Tail {
    control::v1::Tail order;
    uint64_t end_ms = 0;               // the loop's clock
    std::unique_ptr<FollowedLog> log;  // null: it is over
    Nursery task;
  };
  Task<void> Run(Tail& tail, LogFilter filter);
  control::v1::Report ReportOf(const Tail& tail, const LogTail::Lines& lines) const;
  void Refuse(const std::string& id, std::string why);

  const Workers& workers_;
  Loop& main_;
  FleetOutbox& outbox_;
  std::map<std::string, std::unique_ptr<Tail>> tails_;  // by id
};

}  // namespace egret
