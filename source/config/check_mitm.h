// What decrypts: that it has a CA, knows whom to believe, and is followed by somebody who reads what it decrypts.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

std::vector<ConfigError> CheckMitm(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
