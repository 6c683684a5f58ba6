// What holds for every message, however it came: exactly one member of each oneof, no enum value and no field that this
// release does not know, text that is text, at most kMostNodes values (of a bootstrap: in each of its resources).
#pragma once

#include <google/protobuf/message.h>

#include <vector>

#include "source/config/error.h"
#include "source/config/judged.h"

namespace egret {

// Errors with field paths and without places.
std::vector<ConfigError> CheckShape(const google::protobuf::Message& message, const Judged& judged = Judged());

}  // namespace egret
