#include "source/run/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/event/combine.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/event/wait.h"
#include "source/run/dns_door.h"
#include "source/run/dns_stream.h"

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

// A command that is over within this is not kept by a server that is just starting, which takes as long as reading the
// system's roots does. One that goes on has the server ready beside it when it first asks for something.
constexpr int kShortMs = 30;

std::vector<int> ListeningOf(const Doors& doors) {
  std::vector<int> fds;
  fds.reserve(doors.listening.size() + 1);
  for (const NamedSocket& socket : doors.listening) fds.push_back(socket.socket.fd());
  if (doors.question_streams.get() >= 0) fds.push_back(doors.question_streams.get());
  return fds;
}

}  // namespace

Supervisor::Supervisor(Fence& fence, Doors doors, RunLog log)
    : fence_(fence),
      doors_(ListeningOf(doors)),
      sockets_(HandedSockets(std::move(doors.listening))),
      questions_(std::move(doors.questions)),
      question_streams_(std::move(doors.question_streams)),
      signals_(OpenSignals()),
      log_(std::move(log)) {}

Supervisor::~Supervisor() { close(signals_); }

bool Supervisor::StartCommand(const std::vector<int>& trust) {
  fence_.warden().Send(Message::Kind::kGo, {}, trust);
  std::vector<pollfd> waits = {{fence_.pidfd(), POLLIN, 0}, {signals_, POLLIN, 0}};
  for (const OwnedFd& fd : questions_) waits.push_back({fd.get(), POLLIN, 0});
  const auto first_door = static_cast<ptrdiff_t>(waits.size());
  for (const int door : doors_) waits.push_back({door, POLLIN, 0});
  const auto has_come = [](const pollfd& wait) { return wait.revents != 0; };
  for (;;) {
    const int came = poll(waits.data(), waits.size(), kShortMs);
    if (came == 0) return true;
    if (came < 0) continue;  // EINTR
    if (has_come(waits.front())) return false;
    PassWhatCame();
    for (const OwnedFd& fd : questions_) AnswerQuestions(fd.get(), names_);
    if (std::any_of(waits.begin() + first_door, waits.end(), has_come)) return true;
  }
}

Task<void> Supervisor::Run() {
  Nursery answering;
  for (const OwnedFd& fd : questions_) answering.Start(AnswerAllQuestions(fd.get(), names_));
  if (question_streams_.get() >= 0) answering.Start(AnswerAllStreams(question_streams_.get(), names_));
  co_await Race(Until(fence_.pidfd()), PassSignals());
}

Task<void> Supervisor::PassSignals() {
  FdWatch watch;
  CHECK(Loop::current()->Watch(signals_, watch));
  for (;;) {
    co_await GateAwaiter(watch.read);
    watch.read.Close();
    PassWhatCame();
  }
}

// What a terminal sends, it sends to the command as well: they are of one process group.
void Supervisor::PassWhatCame() const {
  for (signalfd_siginfo info; read(signals_, &info, sizeof info) == sizeof info;)
    if (info.ssi_code <= 0) fence_.warden().Send(Message::Kind::kSignal, Cat(info.ssi_signo));
}

}  // namespace egret
