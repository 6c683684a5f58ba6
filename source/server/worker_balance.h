// What each worker has to carry, and the hand-over of accepted connections from one that is well ahead to the one that
// has least: the kernel spreads new connections without knowing how long the old ones live. Shared by all workers; a
// look at each one's load and no lock, until a connection is handed over.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/base/ip.h"
#include "source/event/loop.h"
#include "source/server/connection_limits.h"

namespace egret {

class WorkerBalance;

// One connection's part of a worker's load.
class LoadHold {
 public:
  LoadHold(WorkerBalance& balance, size_t worker);
  LoadHold(LoadHold&& other) noexcept : balance_(std::exchange(other.balance_, nullptr)), worker_(other.worker_) {}
  LoadHold& operator=(LoadHold&&) = delete;
  ~LoadHold();
  void MoveTo(size_t worker);

 private:
  WorkerBalance* balance_;
  size_t worker_;
};

// An accepted connection before anything was read from it, with its places in the counts. Closes the descriptor unless
// it is taken out.
struct Arrival {
  Arrival(int accepted, const Endpoint& from, std::string of, ConnectionPlace taken, LoadHold held)
      : fd(accepted), peer(from), listener(std::move(of)), place(std::move(taken)), load(std::move(held)) {}
  ~Arrival();
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;
  int TakeFd() { return std::exchange(fd, -1); }

  int fd;
  Endpoint peer;
  std::string listener;  // whose chains it runs: looked up again by whoever takes it
  ConnectionPlace place;
  LoadHold load;
};

class WorkerBalance {
 public:
  using Adopt = std::function<void(std::unique_ptr<Arrival>)>;
  enum class Offer : uint8_t { kKept, kQueueFull, kHandedOver };

  static constexpr uint32_t kMostQueued = 128;  // handed to one worker and not yet taken up by it

  explicit WorkerBalance(size_t workers);

  // On the worker's thread. From then on `adopt` is called there with what others hand over; with null where somebody
  // was about to and was too late.
  void Join(size_t worker, std::shared_ptr<Mailbox> mailbox, Adopt adopt);
  // Nobody hands it anything any more, but for what is Queued().
  void Leave(size_t worker);
  uint32_t Queued(size_t worker) const { return slots_[worker].queued.load(); }

  // Hands it to the least loaded worker where `from` has more than 1.25 times as much to carry and 2; else leaves it.
  Offer Give(size_t from, std::unique_ptr<Arrival>& arrival);

  uint32_t Load(size_t worker) const { return slots_[worker].load.value.load(std::memory_order_relaxed); }

 private:
  friend class LoadHold;
  struct alignas(64) Line {
    std::atomic<uint32_t> value{0};
  };
  struct Slot {
    Line load;  // on a cache line of its own: every accept reads it
    std::atomic<uint32_t> queued{0};
    std::atomic<bool> open{false};
    std::shared_ptr<Mailbox> mailbox;
    Adopt adopt;
  };
  size_t Least(size_t but) const;

  std::vector<Slot> slots_;
};

}  // namespace egret
