// What proxy_auth asks of its place: before all that goes by who asks, and where a client speaks to the proxy itself.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

std::vector<ConfigError> CheckAuth(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
