// Names that were reached -> the names and wildcards that cover them.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

namespace egret {

// So many names below one of them make a wildcard of it.
inline constexpr size_t kFewestForWildcard = 5;

// Each pattern ("api.example.com", "*.cdn.example.com") with the names that it stands for. A wildcard never stands for
// names of several owners: no public suffix is below it, of the list's private section neither (github.io, S3).
std::map<std::string, std::set<std::string>> GroupNames(const std::set<std::string>& names);

}  // namespace egret
