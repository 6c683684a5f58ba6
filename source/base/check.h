// What must hold whatever a peer, a config or the network does. A CHECK that fails is a bug of ours: it says where and
// aborts.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace egret {

[[noreturn]] inline void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "CHECK failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace egret

// Always on, also in optimised builds.
#define CHECK(condition)                                    \
  do {                                                      \
    if (!(condition)) [[unlikely]]                          \
      ::egret::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)
