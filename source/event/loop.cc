#include "source/event/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "source/base/check.h"

namespace egret {

thread_local Loop* Loop::current_ = nullptr;

Gate::~Gate() { CHECK(waiters_.empty()); }

void Gate::Open() {
  open_ = true;
  if (!waiters_.empty()) Loop::current()->ReadyAll(waiters_);
}

void Gate::Wake(size_t most) {
  for (; most > 0 && !waiters_.empty(); --most) Loop::current()->Ready(static_cast<Waiter&>(*waiters_.first()));
}

size_t Gate::CountWaiting() {
  size_t count = 0;
  for (ListNode* node = waiters_.first(); node != &waiters_; node = node->after()) ++count;
  return count;
}

Gate& Gate::AlwaysOpen() {
  static thread_local Gate gate(true);
  return gate;
}

Gate& Gate::NeverOpen() {
  static thread_local Gate gate(false);
  return gate;
}

Mailbox::Mailbox() : event_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(event_fd_ >= 0); }
Mailbox::~Mailbox() { close(event_fd_); }

bool Mailbox::Post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  posted_.push_back(std::move(work));
  const uint64_t one = 1;
  if (posted_.size() == 1) CHECK(write(event_fd_, &one, sizeof one) == sizeof one);
  return true;
}

std::vector<std::function<void()>> Mailbox::Take() {
  const std::lock_guard lock(mutex_);
  uint64_t count = 0;
  (void)!read(event_fd_, &count, sizeof count);
  return std::exchange(posted_, {});
}

void Mailbox::Close() {
  std::vector<std::function<void()>> dropped;  // destroyed outside the lock: what they own may post
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(posted_);
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), mailbox_(std::make_shared<Mailbox>()) {
  CHECK(current_ == nullptr);
  CHECK(epoll_ >= 0);
  current_ = this;
  RefreshClock();
  swept_tick_ = now_ms_ / kTickMs;
  CHECK(Watch(mailbox_->event_fd_, mail_watch_));
}

Loop::~Loop() {
  mailbox_->Close();
  current_ = nullptr;
  close(epoll_);
}

void Loop::RefreshClock() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  now_ms_ = ahead_ms_ + static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1000000;
}

bool Loop::Watch(int fd, FdWatch& watch) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &watch;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Loop::WatchLevel(int fd, uint32_t events, FdWatch& watch, bool known) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &watch;
  if (events == 0) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
    return true;
  }
  if (epoll_ctl(epoll_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0) return true;
  CHECK(errno == ENOMEM || errno == ENOSPC);
  return false;
}

void Loop::Arm(Timer& timer, uint64_t after_ms) {
  constexpr uint64_t kLongest = uint64_t{1} << 40;
  // Late by up to a tick, never early: the clock's own reading may already be a tick old.
  timer.due_ms = now_ms_ + std::min(after_ms, kLongest) + 1;
  ++armed_;
  Place(timer);
}

void Loop::Place(Timer& timer) {
  const uint64_t tick = std::max(timer.due_ms / kTickMs + 1, swept_tick_ + 1);
  Wheel& wheel = tick - swept_tick_ <= kSlots ? near_ : far_;  // the slot just swept comes round last
  const uint64_t slot = (&wheel == &near_ ? tick : tick / kSlots) % kSlots;
  wheel.slots[slot].PushBack(timer);
  wheel.occupied[slot / 64] |= uint64_t{1} << (slot % 64);
}

namespace {

// The distance from `from` to the first set bit at or after it, going round; `size` where there is none.
template <size_t kWords>
uint64_t NextSet(const std::array<uint64_t, kWords>& bits, uint64_t from) {
  constexpr uint64_t kBits = kWords * 64;
  for (uint64_t step = 0; step < kBits;) {
    const uint64_t at = (from + step) % kBits;
    const uint64_t word = bits[at / 64] >> (at % 64);
    if (word != 0) return step + static_cast<uint64_t>(std::countr_zero(word));
    step += 64 - at % 64;
  }
  return kBits;
}

// No coroutine runs here, so no event of a batch meets a dead watch.
void Mark(FdWatch& watch, uint32_t what) {
  if ((what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) watch.peer_done.Open();
  if ((what & (EPOLLHUP | EPOLLERR)) != 0) watch.gone.Open();
  if ((what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) watch.read.Open();
  if ((what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) watch.write.Open();
}

// More than a turn takes: time has passed unseen.
constexpr uint64_t kStoodStillMs = 100;

// All that there is to hear, before any timer is looked at: what came in time is not late because this thread was. A
// process that was stopped wakes with EINTR and nothing heard.
void HearEvents(int epoll, int wait_ms) {
  constexpr int kBatch = 256, kMostBatches = 16;
  epoll_event events[kBatch];
  int count = epoll_wait(epoll, events, kBatch, wait_ms);
  if (count < 0) count = epoll_wait(epoll, events, kBatch, 0);
  for (int batch = 1;; ++batch) {
    for (int i = 0; i < count; ++i) Mark(*static_cast<FdWatch*>(events[i].data.ptr), events[i].events);
    if (count < kBatch || batch == kMostBatches) return;
    count = epoll_wait(epoll, events, kBatch, 0);
  }
}

}  // namespace

// Milliseconds until the next slot that may hold a timer; -1 where there is none.
int Loop::NextTimerMs() {
  if (armed_ == 0) return -1;
  const uint64_t to_cascade = kSlots - swept_tick_ % kSlots;  // ticks until the far wheel is looked at
  const uint64_t next = NextSet(near_.occupied, (swept_tick_ + 1) % kSlots) + 1;
  if (next > kSlots && NextSet(far_.occupied, 0) == kSlots) {
    armed_ = 0;
    return -1;
  }
  const uint64_t at_ms = (swept_tick_ + std::min(next, to_cascade)) * kTickMs;
  return at_ms > now_ms_ ? static_cast<int>(at_ms - now_ms_) : 0;
}

void Loop::Cascade(uint64_t tick) {
  const uint64_t slot = tick / kSlots % kSlots;
  far_.occupied[slot / 64] &= ~(uint64_t{1} << (slot % 64));
  ListNode due;
  due.TakeAll(far_.slots[slot]);
  while (!due.empty()) {
    auto& timer = static_cast<Timer&>(*due.first());
    timer.Unlink();
    Place(timer);
  }
}

void Loop::Expire() {
  const uint64_t now_tick = now_ms_ / kTickMs;
  if (armed_ == 0) {
    swept_tick_ = now_tick;
    return;
  }
  while (swept_tick_ < now_tick) {
    const uint64_t tick = swept_tick_ + 1;
    if (tick % kSlots == 0) Cascade(tick);
    swept_tick_ = tick;
    const uint64_t slot = tick % kSlots;
    uint64_t& word = near_.occupied[slot / 64];
    if ((word & uint64_t{1} << (slot % 64)) == 0) continue;
    word &= ~(uint64_t{1} << (slot % 64));
    ready_.TakeAll(near_.slots[slot]);
  }
}

void Loop::RunPosted() {
  for (std::function<void()>& work : mailbox_->Take()) work();
}

bool Loop::Drain() {
  ListNode batch;
  batch.TakeAll(ready_);
  const bool any = !batch.empty();
  while (!batch.empty()) {
    auto& waiter = static_cast<Waiter&>(*batch.first());
    waiter.Unlink();
    ++resumptions_;
    if (waiter.run != nullptr) {
      waiter.run(waiter);
    } else {
      waiter.handle.resume();
    }
  }
  return any;
}

bool Loop::Turn(int max_wait_ms) {
  int wait = ready_.empty() ? NextTimerMs() : 0;
  if (max_wait_ms >= 0 && (wait < 0 || wait > max_wait_ms)) wait = max_wait_ms;
  const uint64_t before_ms = now_ms_;
  HearEvents(epoll_, wait);
  RefreshClock();
  // A process is stopped on its way out of a kernel call: what came meanwhile was not among what that call heard.
  if (now_ms_ > before_ms + static_cast<uint64_t>(std::max(wait, 0)) + kStoodStillMs) HearEvents(epoll_, 0);
  if (mail_watch_.read.open()) {
    mail_watch_.read.Close();
    RunPosted();
  }
  Expire();
  return Drain();
}

bool Loop::SkipToTimer(uint64_t most_ms) {
  const int wait_ms = NextTimerMs();
  if (wait_ms < 0) return false;
  ahead_ms_ += std::min(most_ms, static_cast<uint64_t>(wait_ms));
  return true;
}

void Loop::Run() {
  while (!stopped_) Turn(-1);
}

}  // namespace egret
