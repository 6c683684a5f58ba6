#include "source/xds/reconnect.h"

#include <algorithm>

namespace egret {

int64_t Reconnect::Ended() {
  if (answered_) {
    answered_ = false;
    server_ = 0;
    pause_ms_ = kShortestMs;
  } else if (++server_ < servers_) {
    return 0;
  } else {
    server_ = 0;
  }
  const int64_t longest = std::min(2 * pause_ms_, kLongestMs);
  const int64_t pause = std::uniform_int_distribution<int64_t>(longest / 2, longest)(random_);
  pause_ms_ = longest;
  return pause;
}

}  // namespace egret
