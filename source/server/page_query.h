// The query of an admin request.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace egret {

// name=value pairs, percent-decoded; a name alone has an empty value. What is no sound escape stays as it is.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query);
std::optional<std::string> QueryValue(std::string_view query, std::string_view name);

}  // namespace egret
