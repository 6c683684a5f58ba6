// The one object of its kind that is in force now: whoever needs it takes a share of it, and a newer one may take its
// place at any time. Thread-safe; meant for what is taken once a connection, not once a byte.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace egret {

template <class T>
class Current {
 public:
  explicit Current(std::shared_ptr<const T> first) : now_(std::move(first)) {}

  std::shared_ptr<const T> Get() const {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  // The one before it ends with whoever still has a share.
  void Set(std::shared_ptr<const T> next) {
    const std::lock_guard lock(mutex_);
    now_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> now_;
};

}  // namespace egret
