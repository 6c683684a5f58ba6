// From an address to the address groups (the `to.cidrs` of a rule) that hold it: one probe for each prefix length in
// use, however many ranges there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "source/base/ip.h"
#include "source/policy/posting.h"

namespace egret {

class AddressIndex {
 public:
  void Add(const Cidr& range, uint32_t group);
  void Freeze() { postings_.Freeze(); }

  template <class OnGroup>
  void Match(const IpAddress& address, OnGroup on_group) const {
    for (const uint8_t bits : address.v4() ? v4_lengths_ : v6_lengths_) {
      const auto at = lists_.find({Masked(address, bits), bits});
      if (at != lists_.end()) postings_.ForEach(at->second, on_group);
    }
  }

 private:
  struct Hash {
    size_t operator()(const Cidr& range) const;
  };

  static IpAddress Masked(const IpAddress& address, uint8_t bits);

  std::vector<uint8_t> v4_lengths_, v6_lengths_;
  std::unordered_map<Cidr, Postings::Id, Hash> lists_;
  Postings postings_;
};

}  // namespace egret
