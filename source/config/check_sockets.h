// Sockets of one process: no two can want the same address.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

// Of listeners, admin and metrics. Addresses that do not parse are left to CheckFields.
std::vector<ConfigError> CheckSockets(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
