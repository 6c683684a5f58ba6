// Each field of a resource on its own, by the table of field_rules.h.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "source/config/error.h"

namespace egret {

// Errors with field paths below `path` and without places.
std::vector<ConfigError> CheckFields(const google::protobuf::Message& message, const std::string& path = "");

}  // namespace egret
