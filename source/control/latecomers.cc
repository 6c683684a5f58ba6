#include "source/control/latecomers.h"

namespace egret {

// Its lock is not held while the switchboard is called, which calls whoever adds to this.
size_t Latecomers::Tell(Switchboard& switchboard, const std::string& group, const control::v1::Command& command) {
  std::set<std::string> proxies;
  {
    const std::lock_guard lock(mutex_);
    proxies = proxies_;
  }
  size_t all = 0;
  for (const std::string& proxy : proxies) {
    const size_t told = switchboard.Tell({group, proxy}, command);
    if (told == 0) continue;
    all += told;
    const std::lock_guard lock(mutex_);
    proxies_.erase(proxy);
  }
  return all;
}

}  // namespace egret
