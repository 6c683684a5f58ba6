#include <errno.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>

#include "source/event/loop.h"
#include "source/event/wait.h"
#include "source/io/listen.h"

namespace egret {
namespace {

// The listening descriptor's place in epoll. Level-triggered: having accepted one, nobody need ask for a second to
// learn that there is none. So it must be out of epoll whenever nobody accepts, or the loop would spin.
class Listening {
 public:
  explicit Listening(int fd) : fd_(fd) {}
  ~Listening() { Pause(); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  bool Resume() { return Loop::current()->WatchLevel(fd_, EPOLLIN, watch_, false); }
  void Pause() { (void)Loop::current()->WatchLevel(fd_, 0, watch_, true); }
  Gate& gate() { return watch_.read; }

 private:
  int fd_;
  FdWatch watch_;
};

// Keeps accepting away from the descriptors that are meant for others. To know how many are in use it looks at the
// number of what was accepted last, and once that was too high, at the number that the next one would get.
class Share {
 public:
  Share(int probed, int below) : probed_(probed), below_(below) {}
  void Accepted(int fd) { tight_ = tight_ || fd >= below_; }
  bool UsedUp() {
    if (!tight_) return false;
    const int probe = fcntl(probed_, F_DUPFD_CLOEXEC, 0);
    if (probe >= 0) close(probe);
    tight_ = probe < 0 || probe >= below_;
    return tight_;
  }

 private:
  int probed_;  // any descriptor that is open
  int below_;
  bool tight_ = false;
};

// Counts what the kernel dropped because the queue of a listening socket was full.
class QueueWatch {
 public:
  explicit QueueWatch(int fd) : fd_(fd) { seen_ = Drops(); }
  void Look(AcceptCounters& counters) {
    const uint32_t now = Drops();
    counters.queue_drops.Add(now - seen_);
    seen_ = now;
  }

 private:
  uint32_t Drops() const {
    std::array<uint32_t, SK_MEMINFO_VARS> info{};
    socklen_t size = sizeof info;
    return getsockopt(fd_, SOL_SOCKET, SO_MEMINFO, info.data(), &size) == 0 ? info[SK_MEMINFO_DROPS] : seen_;
  }

  int fd_;
  uint32_t seen_ = 0;
};

enum class Outcome { kAccepted, kSkipped, kNone, kExhausted };

Outcome AcceptOne(int fd, AcceptSink& sink, AcceptCounters& counters, AcceptCall accept, Share& share) {
  if (share.UsedUp()) return Outcome::kExhausted;
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const int got = accept(fd, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (got >= 0) {
    counters.accepted.Add();
    share.Accepted(got);
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
  constexpr int kBusy = 2;  // a queue that was full takes larger batches than this to empty
  Share share(fd, options.fd_below);
  QueueWatch queue(fd);
  int batch = 1;  // how many to take in a turn: one in calm times, doubled while each turn finds all it may take
  bool rest = false;
  for (;;) {
    while (rest || !listening.Resume()) {
      counters.pauses.Add();
      listening.Pause();
      co_await Sleep(options.pause_ms);
      rest = share.UsedUp();
    }
    Outcome last = Outcome::kNone;
    while (last != Outcome::kExhausted) {
      co_await GateAwaiter(listening.gate());
      listening.gate().Close();  // epoll opens it again if more wait
      for (int i = 0; i < batch; ++i) {
        last = AcceptOne(fd, sink, counters, options.accept, share);
        if (last == Outcome::kNone || last == Outcome::kExhausted) break;
      }
      if (batch > kBusy) queue.Look(counters);
      batch = last == Outcome::kNone ? 1 : std::min(batch * 2, options.most_per_turn);
    }
    rest = true;
  }
}

void AcceptQueued(int fd, AcceptSink& sink, AcceptCounters& counters) {
  constexpr int kMost = 65536;  // whoever connects without end does not keep us here
  Share everything(fd, INT_MAX);
  for (int i = 0; i < kMost; ++i) {
    const Outcome last = AcceptOne(fd, sink, counters, ::accept4, everything);
    if (last == Outcome::kNone || last == Outcome::kExhausted) return;
  }
}

}  // namespace egret
