// JSON (RFC 8259) into a tree, strictly: no comments, no trailing commas, no duplicate keys, no second value.
#pragma once

#include <string_view>

#include "source/config/tree.h"

namespace egret {

Tree ParseJson(std::string_view text, std::string_view file);

// Whether the text is one number as JSON writes it.
bool IsJsonNumber(std::string_view text);

}  // namespace egret
