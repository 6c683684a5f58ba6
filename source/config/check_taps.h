// Taps: each has a file of its own, and some time left.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

std::vector<ConfigError> CheckTaps(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
