// Policies beside the rest of the bootstrap: what they ask for and nothing can give. Warnings only.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

// Rules about who asks, where no filter finds it out: they never match.
std::vector<ConfigError> CheckPolicies(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
