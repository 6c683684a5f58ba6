// An error as a control plane hears it.
#pragma once

#include <string_view>

#include "egret/control/v1/rejection.pb.h"
#include "source/config/error.h"

namespace egret {

using Rejection = control::v1::Rejection;

// `error.field` is a path within the resource.
Rejection ToRejection(std::string_view type_url, std::string_view name, std::string_view version,
                      const ConfigError& error);

}  // namespace egret
