// A set of addresses given as ranges: sorted, merged, searched in halves.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "source/base/ip.h"

namespace egret {

class CidrSet {
 public:
  CidrSet() = default;
  explicit CidrSet(std::span<const Cidr> ranges);

  bool empty() const { return ranges_.empty(); }
  bool Contains(const IpAddress& address) const;

 private:
  std::vector<std::pair<IpAddress, IpAddress>> ranges_;  // first and last, rising and apart
};

// The last address of a range; its `base` is the first.
IpAddress LastOf(const Cidr& range);

}  // namespace egret
