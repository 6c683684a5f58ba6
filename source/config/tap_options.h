// Protobuf -> the options of a tap's file.
#pragma once

#include <string_view>

#include "egret/filters/http/v1/filters.pb.h"
#include "source/filters/tap_file.h"

namespace egret {

// Of a validated message. `version`: of this program. Its time runs from now on.
TapOptions TapOptionsOf(const filters::http::v1::Tap& message, std::string_view version);

}  // namespace egret
