// Task<T>: a lazy coroutine that its holder owns. Structured concurrency in one sentence: destroying a Task destroys
// its frame and with it everything the frame was waiting for; nothing is detached. Single-threaded: a task lives on one
// loop.
#pragma once

#include <coroutine>
#include <cstdlib>
#include <optional>
#include <source_location>
#include <utility>

#include "source/base/frame_pool.h"

namespace egret {

// Who is told that a child task ended. Returns the coroutine to run next (symmetric transfer), or a no-op one. The
// child's frame is suspended for good but still alive: it must be destroyed later, not in here.
class Joiner {
 public:
  virtual std::coroutine_handle<> ChildDone() noexcept = 0;

 protected:
  ~Joiner() = default;
};

struct PromiseBase {
  std::coroutine_handle<> parent;  // resumed when this task ends ...
  Joiner* joiner = nullptr;        // ... unless a combinator, a nursery or a session started it
#ifndef NDEBUG
  std::source_location at;  // the co_await at which the task is suspended, for /debug/tasks
#endif

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      PromiseBase& promise = self.promise();
      return promise.joiner != nullptr ? promise.joiner->ChildDone() : promise.parent;
    }
    void await_resume() noexcept {}
  };
  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { std::abort(); }
  static void* operator new(size_t bytes) { return FramePool::Get(bytes); }
  static void operator delete(void* frame, size_t bytes) { FramePool::Put(frame, bytes); }
#ifndef NDEBUG
  template <class Awaitable>
  Awaitable&& await_transform(Awaitable&& awaitable, std::source_location where = std::source_location::current()) {
    at = where;
    return static_cast<Awaitable&&>(awaitable);
  }
#endif
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T Take() { return std::move(*value); }
};
template <>
struct Promise<void> : PromiseBase {
  void return_void() {}
  void Take() {}
};

template <class T>
class [[nodiscard]] [[clang::coro_return_type]] [[clang::coro_lifetimebound]] Task {
 public:
  struct promise_type : Promise<T> {
    Task get_return_object() { return Task(Handle::from_promise(*this)); }
  };
  using Handle = std::coroutine_handle<promise_type>;
  using Value = T;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    Task old(std::move(other));
    std::swap(handle_, old.handle_);
    return *this;
  }
  ~Task() { Cancel(); }

  void Cancel() {
    if (handle_) std::exchange(handle_, {}).destroy();
  }
  bool done() const { return handle_ && handle_.done(); }
  T Take() { return handle_.promise().Take(); }  // once, after done()

  // Runs it on the caller's stack to its first wait. Not awaited: the joiner hears of its end.
  void Start(Joiner& joiner) {
    handle_.promise().joiner = &joiner;
    handle_.resume();
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Handle child;
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) noexcept {
        child.promise().parent = parent;
        return child;
      }
      T await_resume() { return child.promise().Take(); }
    };
    return Awaiter{handle_};
  }

 private:
  Handle handle_;
};

}  // namespace egret
