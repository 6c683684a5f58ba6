// Whether resources make sense each by itself, whatever they refer to.
#pragma once

#include <vector>

#include "source/config/error.h"
#include "source/xds/resource.h"

namespace egret {

// What the validator and, of secrets, the reading of certificates and keys have to say: of each body a list of errors
// with paths within the resource. Of many bodies about as fast as one validation of all. Reads files; blocks.
std::vector<std::vector<ConfigError>> CheckAlone(const std::vector<BodyPtr>& bodies);

}  // namespace egret
