// The process outside of the fence: it serves the command behind it, stands for it towards whoever started it, and ends
// with it.
#pragma once

#include <sys/signalfd.h>

#include <string_view>
#include <utility>

#include "source/event/task.h"
#include "source/run/fence.h"
#include "source/run/summary.h"
#include "source/server/server.h"

namespace egret {

class Supervisor final : public ServerHost {
 public:
  Supervisor(Fence& fence, HandedSockets sockets);
  ~Supervisor();

  // Whole once the server has ended.
  const RunSummary& summary() const { return summary_; }

  HandedSockets TakeSockets() override { return std::move(sockets_); }
  Task<void> Run() override;
  void TakeLog(std::string_view lines) override { summary_.Add(lines); }

 private:
  Task<void> PassSignals();
  void Pass(const signalfd_siginfo& info) const;

  Fence& fence_;
  HandedSockets sockets_;
  const int signals_;
  RunSummary summary_;  // the log thread's, while the server lives
};

}  // namespace egret
