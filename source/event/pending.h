// Pending<T>: a value that comes from elsewhere (another thread, a library's callback), awaited on a loop. The waiter
// may go at any moment: the shared state outlives both sides. Only the loop's thread touches it; other threads post.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "source/event/loop.h"

namespace egret {

template <class T>
class Pending {
 public:
  struct State {
    std::optional<T> value;
    Gate arrived{false};
  };

  Pending() : state_(std::make_shared<State>()) {}

  // On the loop's thread. The first value counts.
  static void Fulfil(State& state, T value) {
    if (state.value) return;
    state.value.emplace(std::move(value));
    state.arrived.Open();
  }
  // From any thread: posts to that loop.
  static void FulfilFrom(const std::shared_ptr<Mailbox>& mailbox, std::shared_ptr<State> state, T value) {
    mailbox->Post([state = std::move(state), value = std::make_shared<T>(std::move(value))] {
      Fulfil(*state, std::move(*value));
    });
  }

  const std::shared_ptr<State>& state() const { return state_; }

  bool await_ready() const { return state_->arrived.open(); }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = handle;
    state_->arrived.Hook(waiter_);
  }
  T await_resume() { return std::move(*state_->value); }

 private:
  std::shared_ptr<State> state_;
  Waiter waiter_;
};

}  // namespace egret
