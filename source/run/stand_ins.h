// Addresses that stand for names: what DNS answers behind the fence, where no real address is of any use. Each name has
// one of 198.18.0.0/15 (RFC 2544) and one of a unique local prefix (RFC 4193), for the whole run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/ip.h"
#include "source/io/original_destination.h"

namespace egret {

// Thread-safe.
class StandIns final : public StandInNames {
 public:
  static constexpr uint32_t kMost = 65536;

  struct Pair {
    IpAddress v4, v6;
  };
  // Those of a canonical name, the same each time; nothing where there are `kMost` names already.
  std::optional<Pair> Of(std::string_view name);

  std::string NameOf(const IpAddress& address) const override;

 private:
  mutable std::shared_mutex mutex_;
  std::vector<std::string> names_;
  std::map<std::string, uint32_t, std::less<>> places_;  // name -> its place among them
};

}  // namespace egret
