#include "source/policy/identity.h"

#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

std::atomic<uint64_t> withdrawals{0};

}  // namespace

void Vouch::Withdraw() {
  if (!withdrawn_.exchange(true)) ++withdrawals;
}

uint64_t Vouch::Withdrawals() { return withdrawals; }

std::string_view Identity::Name() const {
  for (const std::string* name : {&user, &spiffe_id, &service_account, &namespace_})
    if (!name->empty()) return *name;
  return "-";
}

// A name of one kind is never one of another; who has none is known by what was claimed of it.
std::string Identity::Key() const {
  const std::pair<std::string_view, const std::string*> names[] = {
      {"user ", &user}, {"id ", &spiffe_id}, {"account ", &service_account}, {"namespace ", &namespace_}};
  for (const auto& [kind, name] : names)
    if (!name->empty()) return Cat(kind, *name);
  std::string out = "claims";
  for (const Claim& claim : claims) {
    Append(out, ' ', claim.name.size(), ' ', claim.name);
    for (const std::string& value : claim.values) Append(out, ' ', value.size(), ' ', value);
  }
  return out;
}

}  // namespace egret
