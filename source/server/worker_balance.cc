#include "source/server/worker_balance.h"

#include <unistd.h>

namespace egret {
namespace {

constexpr uint64_t kAheadByAtLeast = 2;

// By more than a quarter and 2: less would move connections to and fro for nothing, and with a few connections that
// live long, more would leave a core idle beside one that has all the work.
bool IsWellAhead(uint64_t own, uint64_t least) { return 4 * own > 5 * least + 4 * kAheadByAtLeast; }

}  // namespace

LoadHold::LoadHold(WorkerBalance& balance, size_t worker) : balance_(&balance), worker_(worker) {
  balance_->slots_[worker_].load.value.fetch_add(1, std::memory_order_relaxed);
}

LoadHold::~LoadHold() {
  if (balance_ != nullptr) balance_->slots_[worker_].load.value.fetch_sub(1, std::memory_order_relaxed);
}

void LoadHold::MoveTo(size_t worker) {
  balance_->slots_[worker].load.value.fetch_add(1, std::memory_order_relaxed);
  balance_->slots_[worker_].load.value.fetch_sub(1, std::memory_order_relaxed);
  worker_ = worker;
}

Arrival::~Arrival() {
  if (fd >= 0) close(fd);
}

WorkerBalance::WorkerBalance(size_t workers) : slots_(workers) {}

void WorkerBalance::Join(size_t worker, std::shared_ptr<Mailbox> mailbox, Adopt adopt) {
  Slot& slot = slots_[worker];
  slot.mailbox = std::move(mailbox);
  slot.adopt = std::move(adopt);
  slot.open = true;
}

void WorkerBalance::Leave(size_t worker) { slots_[worker].open = false; }

size_t WorkerBalance::Least(size_t but) const {
  size_t least = but;
  for (size_t i = 0; i < slots_.size(); ++i)
    if (i != but && slots_[i].open && (least == but || Load(i) < Load(least))) least = i;
  return least;
}

WorkerBalance::Offer WorkerBalance::Give(size_t from, std::unique_ptr<Arrival>& arrival) {
  const size_t to = Least(from);
  if (to == from || !IsWellAhead(Load(from), Load(to))) return Offer::kKept;
  Slot& slot = slots_[to];
  if (slot.queued.fetch_add(1) >= kMostQueued) {
    --slot.queued;
    return Offer::kQueueFull;
  }
  // Either this sees that the worker has left, or the worker sees that something is queued for it and waits; in the
  // first case it has to look again.
  const bool stays = slot.open;
  if (stays) arrival->load.MoveTo(to);
  const auto carried = std::make_shared<std::unique_ptr<Arrival>>(stays ? std::move(arrival) : nullptr);
  const bool posted = slot.mailbox->Post([&slot, carried] {
    --slot.queued;
    slot.adopt(std::move(*carried));
  });
  if (posted) return stays ? Offer::kHandedOver : Offer::kKept;
  --slot.queued;
  if (!stays) return Offer::kKept;
  arrival = std::move(*carried);
  arrival->load.MoveTo(from);
  return Offer::kKept;
}

}  // namespace egret
