// What a bootstrap says about the control plane beyond its single fields.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

// Errors and warnings with field paths and without places.
std::vector<ConfigError> CheckXds(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
