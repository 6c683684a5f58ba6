// From a host name to the name groups (lists of patterns: a DomainSet, the domains of one rule) that hold it. One
// lookup costs a probe for each label of the name, however many names are indexed; nothing is allocated.
//
// Immutable. The names lie in shards by their hash, and an index that is made from another one shares with it every
// shard in which nothing has changed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/policy/pattern.h"
#include "source/policy/posting.h"

namespace egret {

// Patterns that are to be indexed, each with its group. At most 4 GiB of names.
class NameList {
 public:
  void Add(const DomainPattern& pattern, uint32_t group);
  size_t size() const { return entries_.size(); }

 private:
  friend class NameIndex;
  struct Entry {
    uint64_t hash;
    uint32_t offset;  // of the name in names_
    uint32_t length;
    uint32_t item;
  };
  std::vector<Entry> entries_;
  std::string names_;
};

class NameIndex {
 public:
  NameIndex() = default;
  // What `before` holds, without the groups that `gone` is true of, and with what is added.
  NameIndex(const NameIndex& before, const std::vector<bool>& gone, const NameList& added);

  size_t size() const { return used_; }  // distinct names
  // Shards that the one has in common with the other.
  size_t SharedWith(const NameIndex& other) const;
  size_t shards() const { return shards_.size(); }

  // Calls on_group(uint32_t) for each group that holds the canonical `name`; perhaps more than once for one group.
  template <class OnGroup>
  void Match(std::string_view name, OnGroup on_group) const;

 private:
  friend class NameList;
  static constexpr uint32_t kExact = 1;  // the lowest two bits of a posting's item; the group stands above them
  static constexpr uint32_t kBelow = 2;
  static constexpr size_t kMaxLabels = 128;

  struct Slot {
    uint32_t tag = 0;     // other bits of the hash than the slot's place
    uint32_t offset = 0;  // of the name among those of its shard
    uint32_t length = 0;
    Postings::Id posting = Postings::kNone;  // kNone: the slot is free
  };
  struct Shard;
  class ShardBuilder;
  // What a lookup needs of a shard, all of them side by side.
  struct View {
    const Slot* slots;
    uint32_t count;
    const Shard* shard;
  };

  // Hashes from the end, so that the hash of a name passes those of its suffixes.
  static constexpr uint64_t kSeed = 0x9ae16a3b2f90404full;
  static uint64_t Step(uint64_t hash, char c) { return (hash ^ static_cast<unsigned char>(c)) * 0x9fb21c651e98df25ull; }
  static uint64_t Mix(uint64_t hash) { return (hash ^ hash >> 32) * 0xd6e8feb86659fd93ull; }
  static uint64_t HashOf(std::string_view name);

  // Three parts of the hash that hardly overlap: the shard, the place in it and the tag.
  size_t ShardOf(uint64_t hash) const { return static_cast<size_t>(hash >> 32 >> (32 - bits_)); }
  static size_t PlaceOf(uint64_t hash, size_t count) {
    return static_cast<size_t>((hash >> 16 & 0xffffffffu) * count >> 32);
  }
  static uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash); }

  void Rebuild(const NameIndex& before, const std::vector<bool>& gone, const NameList& added);
  const Postings* Find(uint64_t hash, std::string_view name, Postings::Id& list) const;

  unsigned bits_ = 0;  // there are 2^bits_ shards
  std::vector<std::shared_ptr<const Shard>> shards_;
  std::vector<View> views_;
  size_t used_ = 0;
};

template <class OnGroup>
void NameIndex::Match(std::string_view name, OnGroup on_group) const {
  if (views_.empty()) return;
  // All slots are asked for before the first is looked at: with many names each is a cache miss.
  uint64_t hashes[kMaxLabels];
  uint16_t starts[kMaxLabels];
  size_t count = 0;
  uint64_t hash = kSeed;
  for (size_t at = name.size(); at-- > 0;) {
    hash = Step(hash, name[at]);
    if (at != 0 && name[at - 1] != '.') continue;
    if (count == kMaxLabels) return;  // longer than any canonical name
    hashes[count] = Mix(hash);
    starts[count] = static_cast<uint16_t>(at);
    const View& view = views_[ShardOf(hashes[count])];
    __builtin_prefetch(view.slots + PlaceOf(hashes[count++], view.count));
  }
  for (size_t i = 0; i < count; ++i) {
    const uint32_t wanted = starts[i] == 0 ? kExact : kBelow;
    Postings::Id list = Postings::kNone;
    const Postings* const postings = Find(hashes[i], name.substr(starts[i]), list);
    if (postings == nullptr) continue;
    postings->ForEach(list, [&](uint32_t item) {
      if ((item & wanted) != 0) on_group(item >> 2);
    });
  }
}

}  // namespace egret
