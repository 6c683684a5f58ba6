// The process outside of the fence: it serves the command behind it, stands for it towards whoever started it, and ends
// with it.
#pragma once

#include <sys/signalfd.h>

#include <string_view>
#include <utility>
#include <vector>

#include "source/event/task.h"
#include "source/run/fence.h"
#include "source/run/run_log.h"
#include "source/run/stand_ins.h"
#include "source/server/server.h"

namespace egret {

// What leads out of the fence.
struct Doors {
  std::vector<NamedSocket> listening;  // by the name of the listener, as it is handed over
  std::vector<OwnedFd> questions;      // DNS is asked there, in datagrams
  OwnedFd question_streams;            // and over connections to this; none: -1
};

class Supervisor final : public ServerHost {
 public:
  // `log`: what is to be gathered.
  Supervisor(Fence& fence, Doors doors, RunLog log);
  ~Supervisor();

  // Starts the command and waits until it ends, wants something of the server, or goes on for longer than commands do
  // that want nothing. The server need not be there until then: what comes waits in the sockets' queues. False: it has
  // ended.
  // `trust`: files of those that its clients are to believe in the place of the system's; none: they keep those.
  bool StartCommand(const std::vector<int>& trust);
  // Whole once the server has ended.
  const RunLog& log() const { return log_; }

  const StandInNames* stand_ins() const override { return &names_; }
  HandedSockets TakeSockets() override { return std::move(sockets_); }
  Task<void> Run() override;
  void TakeLog(std::string_view lines) override { log_.Add(lines); }

 private:
  Task<void> PassSignals();
  void PassWhatCame() const;

  Fence& fence_;
  const std::vector<int> doors_;  // descriptors of what listens
  HandedSockets sockets_;
  const std::vector<OwnedFd> questions_;
  const OwnedFd question_streams_;
  StandIns names_;
  const int signals_;
  RunLog log_;  // the log thread's, while the server lives
};

}  // namespace egret
