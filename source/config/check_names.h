// Names of resources: each once, and whatever a field names is there and of the right kind.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

// Errors with field paths and without places. Names inside policies are the policy compiler's matter.
std::vector<ConfigError> CheckNames(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
