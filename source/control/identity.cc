#include "source/control/identity.h"

#include <algorithm>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::string_view kSpiffe = "spiffe://";

bool IsSpiffeFor(std::string_view name, std::string_view id, std::string_view group) {
  if (!name.starts_with(kSpiffe) || id.find('/') != id.npos || group.find('/') != group.npos) return false;
  name.remove_prefix(kSpiffe.size());
  return name.ends_with(Cat("/", group, "/", id));
}

bool IsDnsFor(std::string_view name, std::string_view id, std::string_view group) {
  // Else a.b of c and a of b.c would be one.
  if (id.find('.') != id.npos) return false;
  return EqualsIgnoreCase(name, Cat(id, ".", group)) || EqualsIgnoreCase(name, Cat("*.", group));
}

}  // namespace

bool MayBe(const std::vector<std::string>& names, std::string_view id, std::string_view group) {
  if (id.empty() || group.empty()) return false;
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return IsSpiffeFor(name, id, group) || IsDnsFor(name, id, group);
  });
}

}  // namespace egret
