// Each field of a resource on its own, by the table of field_rules.h.
#pragma once

#include <google/protobuf/message.h>

#include <vector>

#include "source/config/error.h"
#include "source/config/judged.h"

namespace egret {

// Errors with field paths and without places.
std::vector<ConfigError> CheckFields(const google::protobuf::Message& message, const Judged& judged = Judged());

}  // namespace egret
