// Where a credential_broker may stand, and that its bindings can be told apart.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

std::vector<ConfigError> CheckBroker(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
