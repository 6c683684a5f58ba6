// The compiled configuration, immutable and swapped whole: the policy (each decision reads the current one) and the
// chains (a connection keeps its own listener's).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace egret {

class Policy;
struct ListenerChains;

struct Chains {
  std::map<std::string, std::shared_ptr<const ListenerChains>, std::less<>> listeners;

  // Null where there is none of that name.
  std::shared_ptr<const ListenerChains> Find(std::string_view name) const {
    const auto at = listeners.find(name);
    return at == listeners.end() ? nullptr : at->second;
  }
};

struct Snapshot {
  std::shared_ptr<const Policy> policy;
  std::shared_ptr<const Chains> chains;
  uint64_t revocation_grace_ms = 10000;  // within so long, what another policy does not allow any more is ended
};

}  // namespace egret
