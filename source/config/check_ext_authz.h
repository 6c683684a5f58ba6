// What ext_authz asks of its place and its connection.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

std::vector<ConfigError> CheckExtAuthz(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
