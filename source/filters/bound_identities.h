// For whom a credential is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "source/policy/identity.h"

namespace egret {

// Of each list that holds something the identity has to be, or to have, one.
struct BoundIdentities {
  std::vector<std::string> users = {}, groups = {};
  std::vector<std::string> spiffe_ids = {};        // exact, or a prefix of whole segments before "/*"
  std::vector<std::string> service_accounts = {};  // "namespace/name"

  // `who`: null is nobody. `now`: seconds since 1970; what has ended is nobody.
  bool Hold(const Identity* who, int64_t now) const;
};

}  // namespace egret
