#include "source/policy/cidr_set.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace egret {
namespace {

std::array<uint8_t, 16> LastOf(const Cidr& range) {
  auto bytes = range.base.bytes();
  for (size_t bit = range.bits + (range.base.v4() ? 96u : 0u); bit < 128; ++bit)
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] | 0x80u >> bit % 8);
  return bytes;
}

}  // namespace

CidrSet::CidrSet(std::span<const Cidr> ranges) {
  for (const Cidr& range : ranges) (range.base.v4() ? v4_ : v6_).push_back({range.base.bytes(), LastOf(range)});
  for (auto* family : {&v4_, &v6_}) {
    // The wider of two that begin alike comes first. Ranges of prefixes are nested or apart: drop the nested.
    std::sort(family->begin(), family->end(),
              [](const Range& a, const Range& b) { return a.first != b.first ? a.first < b.first : a.last > b.last; });
    size_t kept = 0;
    for (const Range& next : *family)
      if (kept == 0 || next.last > (*family)[kept - 1].last) (*family)[kept++] = next;
    family->resize(kept);
  }
}

bool CidrSet::Contains(const IpAddress& address) const { return In(address.v4() ? v4_ : v6_, address.bytes()); }

bool CidrSet::In(const std::vector<Range>& ranges, const Bytes& address) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), address,
                                      [](const Bytes& a, const Range& range) { return a < range.first; });
  return after != ranges.begin() && address <= std::prev(after)->last;
}

}  // namespace egret
