// Proxies whose fleet streams have begun since their group was told something, and are to be told as well. Thread-safe.
#pragma once

#include <cstddef>
#include <mutex>
#include <set>
#include <string>

#include "egret/control/v1/fleet.pb.h"
#include "source/control/switchboard.h"

namespace egret {

class Latecomers {
 public:
  static constexpr size_t kMost = 10'000;

  // False: there are too many.
  bool Add(const std::string& proxy) {
    const std::lock_guard lock(mutex_);
    return proxies_.size() < kMost && proxies_.insert(proxy).second;
  }
  bool empty() const {
    const std::lock_guard lock(mutex_);
    return proxies_.empty();
  }
  // How many were; one whose stream is not to be told things yet waits for the next time.
  size_t Tell(Switchboard& switchboard, const std::string& group, const control::v1::Command& command);

 private:
  mutable std::mutex mutex_;
  std::set<std::string> proxies_;  // by id
};

}  // namespace egret
