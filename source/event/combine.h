// Combinators. Each is awaited where it is made and cannot be moved. Its children are tasks or leaf awaiters (a gate, a
// sleep); whatever is not needed any more is destroyed before the result is given back.
#pragma once

#include <coroutine>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "source/event/loop.h"
#include "source/event/task.h"
#include "source/event/wait.h"

namespace egret {

template <class T>
using ValueOf = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

namespace combine_internal {

// A leaf awaiter as a child: it resumes the parent itself, and has fired once its waiter is hooked nowhere.
template <class Leaf>
class Child {
 public:
  using Value = void;
  template <class... Args>
  explicit Child(Args&&... args) : leaf_(std::forward<Args>(args)...) {}
  void Start(Joiner&, std::coroutine_handle<> parent) {
    started_ = true;
    if (!leaf_.await_ready()) leaf_.await_suspend(parent);
  }
  bool done() { return started_ && !leaf_.waiter().linked(); }
  std::monostate Take() { return {}; }
  void Cancel() { leaf_.waiter().Unlink(); }

 private:
  Leaf leaf_;
  bool started_ = false;
};

template <class T>
class Child<Task<T>> {
 public:
  using Value = T;
  explicit Child(Task<T>&& task) : task_(std::move(task)) {}
  void Start(Joiner& joiner, std::coroutine_handle<>) { task_.Start(joiner); }
  bool done() const { return task_.done(); }
  ValueOf<T> Take() {
    if constexpr (std::is_void_v<T>) {
      return {};
    } else {
      return task_.Take();
    }
  }
  void Cancel() { task_.Cancel(); }

 private:
  Task<T> task_;
};

// Children start on the awaiting coroutine's stack. One that ends meanwhile only leaves its done() behind; one that
// ends later passes control straight to the parent.
class Combinator : public Joiner {
 public:
  Combinator() = default;
  Combinator(const Combinator&) = delete;
  Combinator& operator=(const Combinator&) = delete;
  bool await_ready() const noexcept { return false; }

 protected:
  ~Combinator() = default;
  std::coroutine_handle<> parent_;
  bool starting_ = true;
};

template <class Awaitable>
struct LeafFrom {  // Gate& is taken for GateAwaiter
  using Type = Awaitable;
};
template <>
struct LeafFrom<Gate&> {
  using Type = GateAwaiter;
};

}  // namespace combine_internal

// Whichever ends first; a.index() says which. The loser is destroyed before the winner's result is given back.
template <class A, class B>
class [[nodiscard]] Race final : public combine_internal::Combinator {
  using ChildA = combine_internal::Child<A>;
  using ChildB = combine_internal::Child<B>;

 public:
  template <class FromA, class FromB>
  Race(FromA&& a, FromB&& b) : a_(std::forward<FromA>(a)), b_(std::forward<FromB>(b)) {}

  bool await_suspend(std::coroutine_handle<> parent) {
    parent_ = parent;
    a_.Start(*this, parent);
    if (!a_.done()) b_.Start(*this, parent);
    starting_ = false;
    return !a_.done() && !b_.done();
  }
  std::variant<ValueOf<typename ChildA::Value>, ValueOf<typename ChildB::Value>> await_resume() {
    using Outcome = std::variant<ValueOf<typename ChildA::Value>, ValueOf<typename ChildB::Value>>;
    if (a_.done()) {
      b_.Cancel();
      return Outcome(std::in_place_index<0>, a_.Take());
    }
    a_.Cancel();
    return Outcome(std::in_place_index<1>, b_.Take());
  }

 private:
  std::coroutine_handle<> ChildDone() noexcept override { return starting_ ? std::noop_coroutine() : parent_; }
  ChildA a_;
  ChildB b_;
};
template <class A, class B>
Race(A&&, B&&) -> Race<typename combine_internal::LeafFrom<A>::Type, typename combine_internal::LeafFrom<B>::Type>;

// Both, each saying whether it went well. The first that says no ends it and the other is destroyed.
class [[nodiscard]] All final : public combine_internal::Combinator {
 public:
  All(Task<bool> a, Task<bool> b) : a_(std::move(a)), b_(std::move(b)) {}
  bool await_suspend(std::coroutine_handle<> parent) {
    parent_ = parent;
    a_.Start(*this);
    if (!Over()) b_.Start(*this);
    starting_ = false;
    return !Over();
  }
  bool await_resume() {
    Over();
    a_.Cancel();
    b_.Cancel();
    return said_a_.value_or(false) && said_b_.value_or(false);
  }

 private:
  static void Hear(Task<bool>& task, std::optional<bool>& said) {
    if (!said && task.done()) said = task.Take();
  }
  bool Over() {
    Hear(a_, said_a_);
    Hear(b_, said_b_);
    return (said_a_ && said_b_) || said_a_ == false || said_b_ == false;
  }
  std::coroutine_handle<> ChildDone() noexcept override {
    return starting_ || !Over() ? std::noop_coroutine() : parent_;
  }
  Task<bool> a_, b_;
  std::optional<bool> said_a_, said_b_;
};

// The task's value, or nothing where it took longer than `ms`; it is then destroyed.
template <class T>
class [[nodiscard]] WithDeadline final : public combine_internal::Combinator {
 public:
  WithDeadline(Task<T> task, uint64_t ms) : task_(std::move(task)), ms_(ms) {}
  bool await_suspend(std::coroutine_handle<> parent) {
    parent_ = parent;
    task_.Start(*this, parent);
    starting_ = false;
    if (task_.done()) return false;
    timer_.handle = parent;
    Loop::current()->Arm(timer_, ms_);
    return true;
  }
  std::optional<ValueOf<T>> await_resume() {
    timer_.Unlink();
    if (task_.done()) return task_.Take();
    task_.Cancel();
    return std::nullopt;
  }

 private:
  std::coroutine_handle<> ChildDone() noexcept override { return starting_ ? std::noop_coroutine() : parent_; }
  combine_internal::Child<Task<T>> task_;
  uint64_t ms_;
  Timer timer_;
};

// Whether the gate opened within `ms`.
class [[nodiscard]] GateWithin {
 public:
  GateWithin(Gate& gate, uint64_t ms) : gate_(gate), ms_(ms) {}
  bool await_ready() const { return gate_.open(); }
  void await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = timer_.handle = handle;
    gate_.Hook(waiter_);
    Loop::current()->Arm(timer_, ms_);
  }
  bool await_resume() {
    waiter_.Unlink();
    timer_.Unlink();
    return gate_.open();
  }

 private:
  Gate& gate_;
  uint64_t ms_;
  Waiter waiter_;
  Timer timer_;
};

// All as a task, so that it can stand inside another combinator.
inline Task<bool> Both(Task<bool> a, Task<bool> b) { co_return co_await All(std::move(a), std::move(b)); }

}  // namespace egret
