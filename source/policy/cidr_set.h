// A set of addresses given as ranges: sorted, merged, searched in halves.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "source/base/ip.h"

namespace egret {

class CidrSet {
 public:
  CidrSet() = default;
  explicit CidrSet(std::span<const Cidr> ranges);

  bool empty() const { return v4_.empty() && v6_.empty(); }
  bool Contains(const IpAddress& address) const;

 private:
  using Bytes = std::array<uint8_t, 16>;
  struct Range {
    Bytes first, last;
  };

  static bool In(const std::vector<Range>& ranges, const Bytes& address);

  // By family: as bytes alone, the last of ::/80 would be the IPv4 address 255.255.255.255.
  std::vector<Range> v4_, v6_;  // rising and apart
};

}  // namespace egret
