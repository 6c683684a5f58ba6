// The first process behind the fence (its process 1): it makes the room ready, starts the command and waits for its
// end. With it everything ends that the command left behind.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include "source/run/channel.h"

namespace egret {

struct WardenOrders {
  std::vector<std::string> command;
  bool fenced = true;
};

// In a process of its own, which it ends: with the command's exit status (exit_status.h), or once the supervisor is
// gone.
[[noreturn]] void RunWarden(const WardenOrders& orders, const Channel& supervisor);

}  // namespace egret
