// What secrets have to be, and what tls_terminator asks of its place and of them.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

std::vector<ConfigError> CheckSecrets(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
