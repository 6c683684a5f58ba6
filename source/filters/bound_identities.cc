#include "source/filters/bound_identities.h"

#include <algorithm>
#include <string_view>

namespace egret {
namespace {

using Texts = std::vector<std::string>;

bool Has(const Texts& list, std::string_view text) { return std::find(list.begin(), list.end(), text) != list.end(); }

bool IsSpiffeId(std::string_view pattern, std::string_view id) {
  if (!pattern.ends_with("/*")) return id == pattern;
  pattern.remove_suffix(1);
  return id.size() > pattern.size() && id.starts_with(pattern);
}

}  // namespace

bool BoundIdentities::Hold(const Identity* who, int64_t now) const {
  if (users.empty() && groups.empty() && spiffe_ids.empty() && service_accounts.empty()) return true;
  if (who == nullptr || !who->HoldsAt(now)) return false;
  const auto in_groups = [this](const std::string& group) { return Has(groups, group); };
  const auto is_id = [who](const std::string& pattern) { return IsSpiffeId(pattern, who->spiffe_id); };
  return (users.empty() || Has(users, who->user)) &&
         (groups.empty() || std::any_of(who->groups.begin(), who->groups.end(), in_groups)) &&
         (spiffe_ids.empty() || std::any_of(spiffe_ids.begin(), spiffe_ids.end(), is_id)) &&
         (service_accounts.empty() || Has(service_accounts, who->service_account));
}

}  // namespace egret
