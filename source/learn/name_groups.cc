#include "source/learn/name_groups.h"

#include <libpsl.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/strings.h"

namespace egret {
namespace {

// The names above one that belong to whoever has it, the nearest first: "a.b.example.com" -> "b.example.com",
// "example.com". Without a list nothing is known to.
std::vector<std::string> Above(const std::string& name) {
  const psl_ctx_t* const list = psl_builtin();
  const char* const owned = list == nullptr ? nullptr : psl_registrable_domain(list, name.c_str());
  std::vector<std::string> names;
  if (owned == nullptr) return names;
  const size_t end = name.size() - std::string_view(owned).size();  // where it begins within the name
  for (size_t dot = name.find('.'); dot < end; dot = name.find('.', dot + 1)) names.push_back(name.substr(dot + 1));
  return names;
}

size_t LabelsOf(const std::string& name) { return static_cast<size_t>(std::count(name.begin(), name.end(), '.')); }

}  // namespace

std::map<std::string, std::set<std::string>> GroupNames(const std::set<std::string>& names) {
  std::map<std::string, std::set<std::string>> below;
  for (const std::string& name : names)
    for (std::string& above : Above(name)) below[std::move(above)].insert(name);
  std::vector<std::string> order;
  for (const auto& [above, under] : below)
    if (under.size() >= kFewestForWildcard) order.push_back(above);
  // The deepest first: they are the narrowest.
  std::sort(order.begin(), order.end(), [](const std::string& a, const std::string& b) {
    return LabelsOf(a) != LabelsOf(b) ? LabelsOf(a) > LabelsOf(b) : a < b;
  });

  std::map<std::string, std::set<std::string>> groups;
  std::set<std::string> left = names;
  for (const std::string& above : order) {
    std::set<std::string> mine;
    for (const std::string& name : below[above])
      if (left.contains(name)) mine.insert(name);
    if (mine.size() < kFewestForWildcard) continue;
    for (const std::string& name : mine) left.erase(name);
    groups.emplace(Cat("*.", above), std::move(mine));
  }
  for (const std::string& name : left) groups[name] = {name};
  return groups;
}

}  // namespace egret
