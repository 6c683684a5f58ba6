#include "source/auth/workloads.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "source/base/strings.h"

namespace egret {
namespace {

// Labels are claims, `label.` before their names, so that rules can ask for them.
Identity IdentityOf(const WorkloadSpec& spec) {
  Identity identity;
  identity.namespace_ = spec.namespace_;
  if (!spec.service_account.empty()) identity.service_account = Cat(spec.namespace_, '/', spec.service_account);
  identity.groups = spec.groups;
  for (const auto& [name, value] : spec.labels) identity.claims.push_back({Cat("label.", name), {value}});
  identity.assurance = Assurance::kSourceAddress;
  return identity;
}

bool SameOwner(const Identity& a, const Identity& b) {
  const auto same = [](const Identity::Claim& one, const Identity::Claim& other) {
    return one.name == other.name && one.values == other.values;
  };
  return a.namespace_ == b.namespace_ && a.service_account == b.service_account && a.groups == b.groups &&
         std::equal(a.claims.begin(), a.claims.end(), b.claims.begin(), b.claims.end(), same);
}

}  // namespace

size_t Workloads::Hash::operator()(const IpAddress& address) const {
  const auto& bytes = address.bytes();
  return std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::shared_ptr<const Workloads> Workloads::Make(const std::vector<WorkloadSpec>& specs, const Workloads* before) {
  auto made = std::make_shared<Workloads>();
  for (const WorkloadSpec& spec : specs) {
    const Identity owner = IdentityOf(spec);
    for (const IpAddress& address : spec.addresses) {
      const auto [at, is_new] = made->owners_.try_emplace(address);
      if (!is_new) continue;
      if (const Owner* const known = before == nullptr ? nullptr : before->FindSame(address, owner)) {
        at->second = *known;
        continue;
      }
      auto identity = std::make_shared<Identity>(owner);
      at->second.vouch = std::make_shared<Vouch>();
      identity->vouch = at->second.vouch;
      at->second.identity = std::move(identity);
    }
  }
  return made;
}

const Workloads::Owner* Workloads::FindSame(const IpAddress& address, const Identity& identity) const {
  const auto at = owners_.find(address);
  if (at == owners_.end() || at->second.vouch->withdrawn()) return nullptr;
  return SameOwner(*at->second.identity, identity) ? &at->second : nullptr;
}

void Workloads::WithdrawAllBut(const Workloads& next) const {
  for (const auto& [address, owner] : owners_)
    if (next.FindSame(address, *owner.identity) == nullptr) owner.vouch->Withdraw();
}

std::shared_ptr<const Identity> Workloads::Find(const IpAddress& address) const {
  const auto at = owners_.find(address);
  return at == owners_.end() ? nullptr : at->second.identity;
}

}  // namespace egret
