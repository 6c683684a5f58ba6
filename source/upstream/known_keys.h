// Under which key connections to an origin were last shared, for those who do not know yet what they would say to it:
// the key tells whether TLS, which context and what was offered, and a CONNECT says none of these.
//
// Belongs to a worker's pool; single-threaded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "source/upstream/pool_place.h"

namespace egret {

class KnownKeys {
 public:
  static constexpr size_t kMost = 10'000;

  // `origin`: all of a key that is known from the beginning.
  void Remember(std::string origin, const PoolKey& key) {
    if (by_origin_.size() >= kMost) by_origin_.clear();  // it costs each of them one connection more
    by_origin_.insert_or_assign(std::move(origin), key);
  }
  // Null: there was none. Until the next Remember().
  const PoolKey* Find(const std::string& origin) const {
    const auto at = by_origin_.find(origin);
    return at != by_origin_.end() ? &at->second : nullptr;
  }

 private:
  std::unordered_map<std::string, PoolKey> by_origin_;
};

}  // namespace egret
