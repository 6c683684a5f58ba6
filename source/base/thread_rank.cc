#include "source/base/thread_rank.h"

#include <linux/sched.h>
#include <linux/sched/types.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace egret {
namespace {

constexpr int kNicer = 10;
constexpr uint64_t kPieceNs = 100'000;  // the least that Linux takes

int Nice() { return getpriority(PRIO_PROCESS, 0); }  // on Linux: of this thread

bool BeNicer() { return setpriority(PRIO_PROCESS, 0, std::min(Nice() + kNicer, 19)) == 0; }

}  // namespace

// Who asks for small pieces of time may interrupt who works in large ones.
void WakeAtOnce() {
  sched_attr rank = {};
  rank.size = sizeof rank;
  rank.sched_policy = SCHED_NORMAL;
  rank.sched_nice = Nice();
  rank.sched_runtime = kPieceNs;
  std::ignore = syscall(SYS_sched_setattr, 0, &rank, 0);
}

void ComeAfterWorkers() {
  thread_local const bool done = BeNicer();
  std::ignore = done;
}

}  // namespace egret
