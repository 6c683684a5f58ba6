#include "source/chain/drain.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "source/chain/pace.h"
#include "source/event/combine.h"
#include "source/event/wait.h"

namespace egret {
namespace {

constexpr uint64_t kFirstRequestMs = 2000;

struct Window {
  uint64_t after_ms, length_ms;
};

using AllEnds = std::vector<std::shared_ptr<ConnectionEnds>>;

// Wakes those who wait there, of each listener a share.
Task<bool> EndWaiting(AllEnds all, Gate ConnectionEnds::* gate, Window window) {
  co_await Sleep(window.after_ms);
  Loop& loop = *Loop::current();
  const uint64_t end_ms = loop.now_ms() + window.length_ms;
  for (std::vector<Pace> paces(all.size(), Pace(end_ms)); loop.now_ms() < end_ms;) {
    for (size_t i = 0; i < all.size(); ++i) {
      Gate& waiting = (*all[i]).*gate;
      waiting.Wake(paces[i].Due(waiting.CountWaiting(), loop.now_ms()));
    }
    co_await Sleep(Pace::kStepMs);
  }
  for (const auto& ends : all) ((*ends).*gate).Open();
  co_return true;
}

// The youngest first, so that what runs inside a tunnel ends before it.
void EndYoungest(ListNode& live, size_t most) {
  for (ListNode* node = live.last(); node != &live && most > 0; node = node->before()) {
    auto& record = static_cast<ExchangeRecord&>(*node);
    if (record.running == nullptr) continue;
    record.running->End({Side::kEgret, Fault::kDrain});
    --most;
  }
}

Task<bool> EndLive(Worker& worker, Window window) {
  co_await Sleep(window.after_ms);
  const Loop& loop = worker.loop();
  const uint64_t end_ms = loop.now_ms() + window.length_ms;
  for (Pace pace(end_ms);;) {
    size_t left = 0;
    for (ListNode* node = worker.live().first(); node != &worker.live(); node = node->after()) ++left;
    EndYoungest(worker.live(), pace.Due(left, loop.now_ms()));
    if (loop.now_ms() >= end_ms) co_return true;
    co_await Sleep(Pace::kStepMs);
  }
}

}  // namespace

Task<void> WindDown(Worker& worker, DrainTimes times, std::function<void()> stop_accepting) {
  const AllEnds all = worker.StartDraining();
  if (times.accept_grace_ms > 0) co_await Sleep(times.accept_grace_ms);
  stop_accepting();
  const uint64_t jitter = std::min(times.jitter_ms, times.timeout_ms);
  const uint64_t half = jitter / 2;
  const uint64_t first_request = std::min(std::max(kFirstRequestMs, half), times.timeout_ms);
  co_await All(Both(EndWaiting(all, &ConnectionEnds::idle, {half, jitter - half}),
                    EndWaiting(all, &ConnectionEnds::unasked, {first_request, half})),
               EndLive(worker, {times.timeout_ms - jitter, jitter}));
}

Task<void> Retire(std::shared_ptr<ConnectionEnds> ends) {
  constexpr Window kWindow{5000, 5000};
  ends->draining.Open();
  const AllEnds one = {std::move(ends)};
  co_await All(EndWaiting(one, &ConnectionEnds::idle, kWindow), EndWaiting(one, &ConnectionEnds::unasked, kWindow));
}

}  // namespace egret
