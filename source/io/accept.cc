#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "source/event/loop.h"
#include "source/event/wait.h"
#include "source/io/listen.h"

namespace egret {
namespace {

// The listening descriptor's place in epoll. Level-triggered: having accepted one, nobody need ask for a second to
// learn that there is none. So it must be out of epoll whenever nobody accepts, or the loop would spin.
class Listening {
 public:
  explicit Listening(int fd) : fd_(fd) { Resume(); }
  ~Listening() { Pause(); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  void Resume() { Loop::current()->WatchLevel(fd_, EPOLLIN, watch_, false); }
  void Pause() { Loop::current()->WatchLevel(fd_, 0, watch_, true); }
  Gate& gate() { return watch_.read; }

 private:
  int fd_;
  FdWatch watch_;
};

enum class Outcome { kAccepted, kSkipped, kNone, kExhausted };

Outcome AcceptOne(int fd, AcceptSink& sink, AcceptCounters& counters, AcceptCall accept) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const int got = accept(fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (got >= 0) {
    counters.accepted.Add();
    sink.Accepted(got, Endpoint::From(peer));
    return Outcome::kAccepted;
  }
  switch (errno) {
    case EAGAIN:
      return Outcome::kNone;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EBADF:  // somebody broke the socket: nothing to accept, and no reason to spin
    case EINVAL:
    case ENOTSOCK:
      return Outcome::kExhausted;
    default:  // ECONNABORTED and the network errors of accept(2): that one connection's
      counters.aborted.Add();
      return Outcome::kSkipped;
  }
}

}  // namespace

Task<void> AcceptLoop(int fd, AcceptSink& sink, AcceptCounters& counters, AcceptOptions options) {
  Listening listening(fd);
  int batch = 1;  // how many to take in a turn: one in calm times, doubled while each turn finds all it may take
  for (;;) {
    co_await GateAwaiter(listening.gate());
    listening.gate().Close();  // epoll opens it again if more wait
    Outcome last = Outcome::kNone;
    for (int i = 0; i < batch; ++i) {
      last = AcceptOne(fd, sink, counters, options.accept);
      if (last == Outcome::kNone || last == Outcome::kExhausted) break;
    }
    batch = last == Outcome::kNone ? 1 : std::min(batch * 2, options.most_per_turn);
    if (last != Outcome::kExhausted) continue;
    counters.pauses.Add();
    listening.Pause();
    co_await Sleep(options.pause_ms);
    listening.Resume();
  }
}

void AcceptQueued(int fd, AcceptSink& sink, AcceptCounters& counters) {
  constexpr int kMost = 65536;  // whoever connects without end does not keep us here
  for (int i = 0; i < kMost; ++i) {
    const Outcome last = AcceptOne(fd, sink, counters, ::accept4);
    if (last == Outcome::kNone || last == Outcome::kExhausted) return;
  }
}

}  // namespace egret
