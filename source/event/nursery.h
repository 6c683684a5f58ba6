// Tasks that end with their owner. One that ends by itself is only marked, and reaped from the ready list.
#pragma once

#include "source/event/loop.h"
#include "source/event/task.h"

namespace egret {

class Nursery {
 public:
  Nursery() = default;
  ~Nursery() { Clear(); }
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;

  // Runs the task on the caller's stack to its first wait.
  void Start(Task<void> task);
  // Destroys every task, the youngest first; may be called again. Not from inside one of them.
  void Clear();
  bool empty() const { return children_.empty(); }

 private:
  struct Child;
  ListNode children_;
};

}  // namespace egret
