// What body_rewrite is to do: something, with patterns that compile and replacements that fit them.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

std::vector<ConfigError> CheckRewrites(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
