// A whole file in the place of another.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "source/base/result.h"

namespace egret {

// Its owner's alone (0600), and on the disk once this returns; nothing, or why not: then what was there is. Whoever
// reads meanwhile reads the one or the other. It is written as `path` with `beside` behind it first; whoever writes the
// same file at the same time, on another machine too, needs another name there. Blocks.
std::optional<Problem> ReplaceFile(const std::string& path, std::string_view text, std::string_view beside = ".new");

}  // namespace egret
