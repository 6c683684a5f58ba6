#include "source/policy/address_index.h"

#include <algorithm>
#include <functional>
#include <string_view>

namespace egret {

size_t AddressIndex::Hash::operator()(const Cidr& range) const {
  const auto& bytes = range.base.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return std::hash<std::string_view>()(text) * 31 + range.bits;
}

void AddressIndex::Add(const Cidr& range, uint32_t group) {
  auto& lengths = range.base.v4() ? v4_lengths_ : v6_lengths_;
  if (std::find(lengths.begin(), lengths.end(), range.bits) == lengths.end()) lengths.push_back(range.bits);
  Postings::Id& list = lists_[range];
  list = postings_.With(list, group);
}

// The family stays: a masked IPv6 address must not be taken for a mapped IPv4 one, nor the reverse.
IpAddress AddressIndex::Masked(const IpAddress& address, uint8_t bits) {
  if (address.v4()) return IpAddress::V4(bits == 0 ? 0 : address.v4_bits() & ~uint32_t{0} << (32 - bits));
  auto bytes = address.bytes();
  for (size_t bit = bits; bit < 128; ++bit) bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] & ~(0x80u >> bit % 8));
  return IpAddress::V6(bytes);
}

}  // namespace egret
