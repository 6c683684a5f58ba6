// Lists of numbers that share their tails: a million keys with the same few lists cost one number each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace egret {

class Postings {
 public:
  using Id = uint32_t;
  static constexpr Id kNone = 0;  // the empty list

  // The list `item` followed by `rest`; the same list has the same Id.
  Id With(Id rest, uint32_t item) {
    const auto [at, added] =
        known_.try_emplace(static_cast<uint64_t>(rest) << 32 | item, static_cast<Id>(nodes_.size()));
    if (added) nodes_.push_back({item, rest});
    return at->second;
  }
  void Freeze() {  // no more With()
    known_ = {};
    nodes_.shrink_to_fit();
  }

  uint32_t ItemOf(Id id) const { return nodes_[id].item; }
  Id RestOf(Id id) const { return nodes_[id].rest; }

  template <class Predicate>
  bool HasItem(Predicate predicate) const {
    return std::any_of(nodes_.begin() + 1, nodes_.end(), [&](const Node& node) { return predicate(node.item); });
  }
  template <class OnItem>
  void ForEach(Id id, OnItem on_item) const {
    for (; id != kNone; id = nodes_[id].rest) on_item(nodes_[id].item);
  }

 private:
  struct Node {
    uint32_t item;
    Id rest;
  };

  std::vector<Node> nodes_{{0, kNone}};
  std::unordered_map<uint64_t, Id> known_;
};

}  // namespace egret
