// YAML into a tree. One document, without anchors, aliases and tags. yaml-cpp throws, so only this target is built with
// exceptions, and none leaves it.
#pragma once

#include <string_view>

#include "source/config/tree.h"

namespace egret {

Tree ParseYaml(std::string_view text, std::string_view file);

}  // namespace egret
