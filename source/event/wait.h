// The leaf awaiters: a gate, a time, the next turn. Each unhooks itself when its coroutine is destroyed.
#pragma once

#include "source/event/loop.h"

namespace egret {

// Until the gate is open. Wake-ups may be spurious (somebody else may have used what it promised): callers loop.
class [[nodiscard]] GateAwaiter {
 public:
  explicit GateAwaiter(Gate& gate) : gate_(gate) {}
  GateAwaiter(GateAwaiter&& unawaited) noexcept : gate_(unawaited.gate_) {}
  bool await_ready() const { return gate_.open(); }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = handle;
    gate_.Hook(waiter_);
  }
  void await_resume() const {}
  Waiter& waiter() { return waiter_; }

 private:
  Gate& gate_;
  Waiter waiter_;
};

// For at least `ms` milliseconds.
class [[nodiscard]] Sleep {
 public:
  explicit Sleep(uint64_t ms) : ms_(ms) {}
  Sleep(Sleep&& unawaited) noexcept : ms_(unawaited.ms_) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    timer_.handle = handle;
    Loop::current()->Arm(timer_, ms_);
  }
  void await_resume() const {}
  Waiter& waiter() { return timer_; }

 private:
  uint64_t ms_;
  Timer timer_;
};

// Until the loop's next turn: others get theirs first.
class [[nodiscard]] Yield {
 public:
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = handle;
    Loop::current()->Ready(waiter_);
  }
  void await_resume() const {}
  Waiter& waiter() { return waiter_; }

 private:
  Waiter waiter_;
};

}  // namespace egret
