// How the process' descriptors are shared out. The kernel always gives the lowest free number, so the number that one
// gets tells how many are in use; what serves traffic stays below a bound, and the rest is left for operators, the
// access log and name servers.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <climits>

namespace egret {

struct DescriptorShares {
  int accept_below = INT_MAX;  // client connections; accepting rests beyond it
  int dial_below = INT_MAX;    // connections to origins, pipes

  static DescriptorShares Of(rlim_t limit) {
    constexpr rlim_t kOperators = 16, kLeastDials = 16, kMostDials = 1024;
    if (limit == RLIM_INFINITY || limit > INT_MAX) return {};
    const rlim_t dial = limit - std::min(kOperators, limit / 4);
    const rlim_t dials = std::min(std::clamp(dial / 8, kLeastDials, kMostDials), dial / 2);
    return {static_cast<int>(dial - dials), static_cast<int>(dial)};
  }

  // Set once, before the threads start.
  static DescriptorShares& OfProcess() {
    static DescriptorShares shares;
    return shares;
  }
};

}  // namespace egret
