#include "source/io/pipe_pool.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "source/base/descriptors.h"
#include "source/io/relay_stats.h"

namespace egret {

struct PipeLoan::Pool {
  ~Pool() {
    for (const Ends& ends : free) Close(ends);
  }
  static void Close(const Ends& ends) {
    close(ends.read);
    close(ends.write);
  }
  static Pool& Get() {
    static thread_local Pool pool;
    return pool;
  }
  std::vector<Ends> free;
  size_t out = 0;
};

namespace {

void IgnoreSigPipe() {
  struct sigaction now;
  if (sigaction(SIGPIPE, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
}

}  // namespace

std::optional<PipeLoan::Ends> PipeLoan::Make() {
  static const bool once = (IgnoreSigPipe(), true);
  (void)once;
  int fds[2];
  if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) return std::nullopt;
  const Ends ends{fds[0], fds[1]};
  if (std::max(ends.read, ends.write) >= DescriptorShares::OfProcess().dial_below) {
    Pool::Close(ends);
    return std::nullopt;
  }
  if (fcntl(ends.write, F_SETPIPE_SZ, static_cast<int>(kBytes)) >= static_cast<int>(kBytes)) return ends;
  Pool::Close(ends);  // the user's share of pipe memory is used up: copying is faster than a small pipe
  return std::nullopt;
}

std::optional<PipeLoan> PipeLoan::Take() {
  Pool& pool = Pool::Get();
  if (pool.out == kMostPerThread) return std::nullopt;
  std::optional<Ends> ends;
  if (pool.free.empty()) {
    ends = Make();
  } else {
    ends = pool.free.back();
    pool.free.pop_back();
  }
  if (!ends) return std::nullopt;
  ++pool.out;
  RelayStats::OfThread().pipes.Add(1);
  return PipeLoan(*ends);
}

PipeLoan::~PipeLoan() {
  if (ends_.read < 0) return;
  Pool& pool = Pool::Get();
  --pool.out;
  RelayStats::OfThread().pipes.Add(-1);
  if (held == 0) {
    pool.free.push_back(ends_);
  } else {
    Pool::Close(ends_);
  }
}

PipeLoan::PipeLoan(PipeLoan&& other) noexcept
    : held(std::exchange(other.held, 0)), ends_(std::exchange(other.ends_, Ends{})) {}
PipeLoan& PipeLoan::operator=(PipeLoan&& other) noexcept {
  std::swap(held, other.held);
  std::swap(ends_, other.ends_);
  return *this;
}

}  // namespace egret
