// A parent proxy that the operator configured, compiled.
#pragma once

#include <cstdint>
#include <string>

#include "source/policy/permit.h"

namespace egret {

struct NextHop {
  // Who resolves the destination's name. kLocal: we do, the address guard applies, and the parent is asked for the
  // address. kRemote: the parent does; what it will reach cannot be checked here.
  enum class Resolve : uint8_t { kLocal, kRemote };

  ConfiguredTarget target;
  Resolve resolve = Resolve::kLocal;
  std::string authorization;  // value of Proxy-Authorization; empty: none
};

}  // namespace egret
