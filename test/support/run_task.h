// Drives one task to its end on a loop that the test turns by hand.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <type_traits>
#include <utility>

#include "source/event/loop.h"
#include "source/event/task.h"

namespace egret {

// Hears of a child's end and does nothing: the test looks at done().
struct TestJoiner final : Joiner {
  std::coroutine_handle<> ChildDone() noexcept override { return std::noop_coroutine(); }
};

// The task's value. Fails the test, and returns a default, where it has not ended after `turns` turns.
template <class T>
T RunTask(Loop& loop, Task<T> task, int turns = 2000000) {
  TestJoiner joiner;
  task.Start(joiner);
  for (int i = 0; i < turns && !task.done(); ++i) loop.Turn(200);
  if (!task.done()) {
    ADD_FAILURE() << "the task never ended";
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (std::is_default_constructible_v<T>) {
      return T{};
    } else {
      std::abort();  // nothing can be given back
    }
  }
  return task.Take();
}

}  // namespace egret
