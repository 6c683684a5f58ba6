// The text formats of the access log.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

std::vector<ConfigError> CheckAccessLog(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
