// Which resources differ between two configurations.
#pragma once

#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"

namespace egret {

struct ResourceDifference {
  enum class Kind : unsigned char { kAdded, kRemoved, kChanged };

  Kind kind = Kind::kChanged;
  std::string type;                // "EgressPolicy"; "Bootstrap": what is no resource
  std::string name;                // empty for the bootstrap
  std::vector<std::string> where;  // of what changed: "rules[0].to.domains[1]:
                                   // old -> new"; empty where it is too large
};

std::vector<ResourceDifference> DiffResources(const config::v1::Bootstrap& before, const config::v1::Bootstrap& after);

}  // namespace egret
