// What the next report has to say of what operators asked for. Filled on the main thread, emptied on the config thread.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>

#include "egret/control/v1/fleet.pb.h"

namespace egret {

class FleetOutbox {
 public:
  // `hurry`: called on the main thread where there is something that is waited for.
  explicit FleetOutbox(std::function<void()> hurry) : hurry_(std::move(hurry)) {}

  void Put(const control::v1::Report& news) {
    {
      const std::lock_guard lock(mutex_);
      news_.MergeFrom(news);
    }
    hurry_();
  }
  // Whoever puts more only where this holds makes it no larger than that and what it puts at once.
  static constexpr size_t kFull = size_t{1} << 20;
  bool HasRoom() const {
    const std::lock_guard lock(mutex_);
    return news_.ByteSizeLong() < kFull;
  }
  void MoveTo(control::v1::Report& report) {
    const std::lock_guard lock(mutex_);
    report.MergeFrom(std::exchange(news_, {}));
  }
  // Nobody hears it any more.
  void Clear() {
    const std::lock_guard lock(mutex_);
    news_.Clear();
  }

 private:
  const std::function<void()> hurry_;
  mutable std::mutex mutex_;
  control::v1::Report news_;
};

}  // namespace egret
