// Specs -> Policy. Everything that can be wrong with a policy is found here, all of it at once, before it is in force.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/policy/policy.h"
#include "source/policy/spec.h"

namespace egret {

struct PolicyError {
  std::string path;   // "policies[0].rules[2].to.domains[1]", "domain_sets[3].includes[0]", "guard.also_refuse[0]"
  std::string value;  // what stands there; may be empty
  std::string why;
  std::string remedy;

  std::string ToString() const;
};

// Not for the data path: takes a second or two for a million names.
Result<std::shared_ptr<const Policy>, std::vector<PolicyError>> Compile(const PolicySetSpec& spec);

}  // namespace egret
