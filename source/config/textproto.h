// protobuf's text format into a message, with the loader's own rules on top (load.h).
#pragma once

#include <google/protobuf/message.h>

#include <string_view>

#include "source/config/load.h"

namespace egret {

LoadResult LoadTextproto(std::string_view text, std::string_view file, google::protobuf::Message& into);

}  // namespace egret
