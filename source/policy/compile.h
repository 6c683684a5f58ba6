// Specs -> Policy. Everything that can be wrong with a policy is found here, all of it at once, before it is in force.
#pragma once

#include <memory>
#include <vector>

#include "source/base/result.h"
#include "source/policy/errors.h"
#include "source/policy/policy.h"
#include "source/policy/spec.h"

namespace egret {

// Not for the data path: takes a second or two for a million names.
Result<std::shared_ptr<const Policy>, std::vector<PolicyError>> Compile(const PolicySetSpec& spec);

}  // namespace egret
