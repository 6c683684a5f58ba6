// From a host name to the name groups (lists of patterns: a DomainSet, the domains of one rule) that hold it. One
// lookup costs a probe for each label of the name, however many names are indexed; nothing is allocated.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "source/policy/pattern.h"
#include "source/policy/posting.h"

namespace egret {

class NameIndex {
 public:
  // Patterns of one group are added together, before those of the next. At most 4 GiB of names.
  void Add(const DomainPattern& pattern, uint32_t group);
  void Freeze() { postings_.Freeze(); }  // no more of them
  size_t size() const { return used_; }  // distinct names

  // Calls on_group(uint32_t) for each group that holds the canonical `name`; perhaps more than once for one group.
  template <class OnGroup>
  void Match(std::string_view name, OnGroup on_group) const;

 private:
  static constexpr uint32_t kExact = 1;  // the lowest two bits of a posting's item; the group stands above them
  static constexpr uint32_t kBelow = 2;
  static constexpr size_t kMaxLabels = 128;

  struct Slot {
    uint32_t tag = 0;     // other bits of the hash than the slot's place
    uint32_t offset = 0;  // of the name in names_
    uint32_t length = 0;
    Postings::Id posting = Postings::kNone;  // kNone: the slot is free
  };

  // Hashes from the end, so that the hash of a name passes those of its suffixes.
  static constexpr uint64_t kSeed = 0x9ae16a3b2f90404full;
  static uint64_t Step(uint64_t hash, char c) { return (hash ^ static_cast<unsigned char>(c)) * 0x9fb21c651e98df25ull; }
  static uint64_t Mix(uint64_t hash) { return (hash ^ hash >> 32) * 0xd6e8feb86659fd93ull; }
  static uint64_t HashOf(std::string_view name);

  size_t PlaceOf(uint64_t hash) const { return static_cast<size_t>(hash >> 32) & (slots_.size() - 1); }
  bool Holds(const Slot& slot, uint64_t hash, std::string_view name) const {
    return slot.tag == static_cast<uint32_t>(hash) && slot.length == name.size() &&
           std::string_view(names_).substr(slot.offset, slot.length) == name;
  }
  Slot& FindOrInsert(std::string_view name);
  Postings::Id Find(uint64_t hash, std::string_view name) const;
  void Grow();

  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  size_t used_ = 0;
  std::string names_;
  Postings postings_;
};

template <class OnGroup>
void NameIndex::Match(std::string_view name, OnGroup on_group) const {
  if (slots_.empty()) return;
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
    __builtin_prefetch(&slots_[PlaceOf(hashes[count++])]);
  }
  for (size_t i = 0; i < count; ++i) {
    const uint32_t wanted = starts[i] == 0 ? kExact : kBelow;
    postings_.ForEach(Find(hashes[i], name.substr(starts[i])), [&](uint32_t item) {
      if ((item & wanted) != 0) on_group(item >> 2);
    });
  }
}

}  // namespace egret
