// The process outside of the fence: it serves the command behind it, stands for it towards whoever started it, and ends
// with it.
#pragma once

#include <sys/signalfd.h>

#include <string_view>
#include <utility>

#include "source/event/task.h"
#include "source/run/fence.h"
#include "source/server/server.h"

namespace egret {

class Supervisor final : public ServerHost {
 public:
  Supervisor(Fence& fence, HandedSockets sockets);
  ~Supervisor();

  HandedSockets TakeSockets() override { return std::move(sockets_); }
  Task<void> Run() override;
  void TakeLog(std::string_view lines) override;

 private:
  Task<void> PassSignals();
  void Pass(const signalfd_siginfo& info) const;

  Fence& fence_;
  HandedSockets sockets_;
  const int signals_;
};

}  // namespace egret
