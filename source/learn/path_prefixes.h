// Paths that were asked for -> the few prefixes that cover them.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace egret {

inline constexpr size_t kMostPrefixes = 8;

// As rules take them: each covers itself and whole segments below it. A path is cut before a segment that looks like
// one of many (a number, an id, a hash), and where more than `kMostPrefixes` segments stand beside each other. Empty:
// any path.
std::vector<std::string> PrefixesOf(const std::set<std::string>& paths);

// "/repos/acme/17/x" -> "/repos/acme/{}/x".
std::string PathTemplateOf(std::string_view path);

}  // namespace egret
