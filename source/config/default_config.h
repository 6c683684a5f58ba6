// The configuration of a proxy that was given none: an explicit proxy on loopback for the public web, nothing private.
#pragma once

#include <string_view>

namespace egret {

inline constexpr std::string_view kDefaultConfigName = "(default configuration)";

// YAML; the text of default.yaml.
std::string_view DefaultConfig();

}  // namespace egret
