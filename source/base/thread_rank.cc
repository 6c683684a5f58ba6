#include "source/base/thread_rank.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <tuple>
#include <utility>

namespace egret {
namespace {

constexpr int kNicer = 10;
constexpr int kMostNice = 19;
constexpr int64_t kPieceNs = 100'000;  // the least that Linux takes
constexpr int64_t kWorkNs = 500'000;
constexpr int kGiveWay = SIGURG;  // nobody else's, and harmless

// Both are read and written by the thread itself and by the handler that interrupts it.
thread_local bool in_pieces = false;
thread_local volatile int64_t gave_way_ns = 0;  // of this thread's CPU time

int Nice() { return getpriority(PRIO_PROCESS, 0); }  // on Linux: of this thread

// Who asks for small pieces of time may interrupt who works in large ones, and loses little by giving one up.
void AskForSmallPieces(int nice) {
  sched_attr rank = {};
  rank.size = sizeof rank;
  rank.sched_policy = SCHED_NORMAL;
  rank.sched_nice = nice;
  rank.sched_runtime = kPieceNs;
  std::ignore = syscall(SYS_sched_setattr, 0, &rank, 0);
}

int64_t CpuNs() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * 1'000'000'000 + used.tv_nsec;
}

// Time may have passed without this thread having had any of it: then it goes on, or it would never get far.
void GiveWay(int) {
  const int before = errno;
  if (CpuNs() - gave_way_ns >= kWorkNs / 2) {
    std::ignore = syscall(SYS_sched_yield);
    gave_way_ns = CpuNs();
  }
  errno = before;
}

bool HandleSignal() {
  struct sigaction action{};
  action.sa_handler = GiveWay;
  action.sa_flags = SA_RESTART;
  return sigaction(kGiveWay, &action, nullptr) == 0;
}

}  // namespace

void WakeAtOnce() { AskForSmallPieces(Nice()); }

void ComeAfterWorkers() {
  thread_local bool done = false;
  if (std::exchange(done, true)) return;
  const int nice = std::min(Nice() + kNicer, kMostNice);
  std::ignore = setpriority(PRIO_PROCESS, 0, nice);
  AskForSmallPieces(nice);
}

WorkInPieces::WorkInPieces() {
  static const bool handled = HandleSignal();
  if (!handled || in_pieces) return;
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = kGiveWay;
  event._sigev_un._tid = gettid();
  if (timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0) return;  // then the kernel alone decides
  in_pieces = armed_ = true;
  gave_way_ns = CpuNs();
  const timespec every{0, kWorkNs};
  const itimerspec turns{every, every};
  timer_settime(timer_, 0, &turns, nullptr);
}

WorkInPieces::~WorkInPieces() {
  if (!armed_) return;
  timer_delete(timer_);
  in_pieces = false;
}

}  // namespace egret
