// The decisions or the access log of all workers, followed for as long as this lives. On the main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "source/base/result.h"
#include "source/chain/log_tail.h"
#include "source/event/loop.h"
#include "source/event/task.h"
#include "source/server/ask_workers.h"

namespace egret {

// By "verdict", "identity", "host", "policy", "rule" or "contains"; or what is wrong with it.
std::optional<Problem> Narrow(LogFilter& filter, std::string_view by, std::string value);

class FollowedLog {
 public:
  // Both outlive it.
  FollowedLog(const Workers& workers, Loop& main);
  ~FollowedLog();
  FollowedLog(const FollowedLog&) = delete;
  FollowedLog& operator=(const FollowedLog&) = delete;

  // Once. False: too many follow already.
  Task<bool> Begin(LogFilter filter);
  // What there is since the last time.
  Task<LogTail::Lines> Take();

 private:
  const Workers& workers_;
  Loop& main_;
  const uint64_t number_;
};

}  // namespace egret
