#include "source/run/supervisor.h"

#include <signal.h>
#include <unistd.h>

#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/event/combine.h"
#include "source/event/loop.h"
#include "source/event/wait.h"

namespace egret {
namespace {

// What ends or moves a command, wherever it is sent to. Stopping and going on is left as it is: it stops the proxy with
// the command, and whoever waits for either sees it.
int OpenSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2}) sigaddset(&set, number);
  CHECK(sigprocmask(SIG_BLOCK, &set, nullptr) == 0);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  CHECK(fd >= 0);
  return fd;
}

Task<void> Until(int fd) {
  FdWatch watch;
  CHECK(Loop::current()->Watch(fd, watch));
  co_await GateAwaiter(watch.read);
}

}  // namespace

Supervisor::Supervisor(Fence& fence, HandedSockets sockets)
    : fence_(fence), sockets_(std::move(sockets)), signals_(OpenSignals()) {}

Supervisor::~Supervisor() { close(signals_); }

Task<void> Supervisor::Run() {
  fence_.warden().Send(Message::Kind::kGo);
  co_await Race(Until(fence_.pidfd()), PassSignals());
}

Task<void> Supervisor::PassSignals() {
  FdWatch watch;
  CHECK(Loop::current()->Watch(signals_, watch));
  for (;;) {
    co_await GateAwaiter(watch.read);
    signalfd_siginfo info;
    if (read(signals_, &info, sizeof info) == sizeof info) {
      Pass(info);
    } else {
      watch.read.Close();
    }
  }
}

// A terminal sends it to the command as well: they are of one process group.
void Supervisor::Pass(const signalfd_siginfo& info) const {
  if (info.ssi_code > 0) return;
  fence_.warden().Send(Message::Kind::kSignal, Cat(info.ssi_signo));
}

}  // namespace egret
