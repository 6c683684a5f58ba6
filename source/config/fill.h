// A tree into a message, beside its descriptor: load.h says what is taken.
#pragma once

#include <google/protobuf/message.h>

#include <string_view>
#include <vector>

#include "source/config/error.h"
#include "source/config/tree.h"

namespace egret {

// Appends to `errors` whatever does not fit; fills what does.
void Fill(const Node& root, std::string_view file, google::protobuf::Message& into, std::vector<ConfigError>& errors);

}  // namespace egret
