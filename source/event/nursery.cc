#include "source/event/nursery.h"

#include <utility>

namespace egret {

struct Nursery::Child final : ListNode, Joiner {
  explicit Child(Task<void> started) : task(std::move(started)) {
    reap.child = this;
    reap.run = [](Waiter& self) { delete static_cast<Reap&>(self).child; };
  }
  virtual ~Child() = default;
  std::coroutine_handle<> ChildDone() noexcept override {
    Loop::current()->Ready(reap);
    return std::noop_coroutine();
  }
  struct Reap : Waiter {
    Child* child = nullptr;
  };
  Task<void> task;
  Reap reap;
};

void Nursery::Start(Task<void> task) {
  auto* child = new Child(std::move(task));
  children_.PushBack(*child);
  child->task.Start(*child);
}

void Nursery::Clear() {
  while (!children_.empty()) delete static_cast<Child*>(children_.last());
}

}  // namespace egret
