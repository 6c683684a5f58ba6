#include "source/policy/name_index.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "source/base/check.h"

namespace egret {

struct NameIndex::Shard {
  std::vector<Slot> slots;  // open addressing, half full
  std::string names;
  Postings postings;
  size_t used = 0;

  bool Holds(const Slot& slot, uint64_t hash, std::string_view name) const {
    return slot.tag == TagOf(hash) && slot.length == name.size() &&
           std::string_view(names).substr(slot.offset, slot.length) == name;
  }
  // Calls on_entry(name, item) for each name and group, but those of groups that are gone.
  template <class OnEntry>
  void ForEach(const std::vector<bool>& gone, OnEntry on_entry) const {
    for (const Slot& slot : slots)
      postings.ForEach(slot.posting, [&](uint32_t item) {
        if (!IsGone(gone, item)) on_entry(std::string_view(names).substr(slot.offset, slot.length), item);
      });
  }
  bool HasOneOf(const std::vector<bool>& gone) const {
    return postings.HasItem([&](uint32_t item) { return IsGone(gone, item); });
  }
  static bool IsGone(const std::vector<bool>& gone, uint32_t item) {
    return item >> 2 < gone.size() && gone[item >> 2];
  }
};

class NameIndex::ShardBuilder {
 public:
  explicit ShardBuilder(size_t most) : shard_(std::make_shared<Shard>()) { shard_->slots.resize(2 * most); }

  void Add(uint64_t hash, std::string_view name, uint32_t item) {
    Slot& slot = FindOrInsert(hash, name);
    Postings& postings = shard_->postings;
    // One group may name it twice, with another kind of pattern.
    const bool again = slot.posting != Postings::kNone && postings.ItemOf(slot.posting) >> 2 == item >> 2;
    if (again) item |= postings.ItemOf(slot.posting);
    slot.posting = postings.With(again ? postings.RestOf(slot.posting) : slot.posting, item);
  }
  std::shared_ptr<const Shard> Take() {
    shard_->names.shrink_to_fit();
    shard_->postings.Freeze();
    return std::move(shard_);
  }

 private:
  Slot& FindOrInsert(uint64_t hash, std::string_view name) {
    std::vector<Slot>& slots = shard_->slots;
    size_t place = PlaceOf(hash, slots.size());
    for (; slots[place].posting != Postings::kNone; place = place + 1 == slots.size() ? 0 : place + 1)
      if (shard_->Holds(slots[place], hash, name)) return slots[place];
    slots[place] = {TagOf(hash), static_cast<uint32_t>(shard_->names.size()), static_cast<uint32_t>(name.size()),
                    Postings::kNone};
    shard_->names += name;
    ++shard_->used;
    return slots[place];
  }

  std::shared_ptr<Shard> shard_;
};

void NameList::Add(const DomainPattern& pattern, uint32_t group) {
  CHECK(names_.size() + pattern.name.size() < std::numeric_limits<uint32_t>::max());
  uint32_t bits = 0;
  if (pattern.kind != DomainPattern::Kind::kBelow) bits |= NameIndex::kExact;
  if (pattern.kind != DomainPattern::Kind::kExact) bits |= NameIndex::kBelow;
  entries_.push_back({NameIndex::HashOf(pattern.name), static_cast<uint32_t>(names_.size()),
                      static_cast<uint32_t>(pattern.name.size()), group << 2 | bits});
  names_ += pattern.name;
}

uint64_t NameIndex::HashOf(std::string_view name) {
  uint64_t hash = kSeed;
  for (size_t at = name.size(); at-- > 0;) hash = Step(hash, name[at]);
  return Mix(hash);
}

NameIndex::NameIndex(const NameIndex& before, const std::vector<bool>& gone, const NameList& added) {
  constexpr size_t kNamesInShard = 256;
  constexpr unsigned kMostBits = 14;
  const auto ideal =
      std::min(kMostBits, static_cast<unsigned>(std::bit_width((before.used_ + added.size()) / kNamesInShard)));
  // What is there is cut anew only where the size has changed by far.
  const bool fits = !before.shards_.empty() && before.bits_ + 2 >= ideal && ideal + 2 >= before.bits_;
  bits_ = fits ? before.bits_ : ideal;
  if (fits) {
    Rebuild(before, gone, added);
  } else {
    NameList all = added;
    for (const auto& shard : before.shards_)
      shard->ForEach(gone, [&](std::string_view name, uint32_t item) {
        all.entries_.push_back(
            {HashOf(name), static_cast<uint32_t>(all.names_.size()), static_cast<uint32_t>(name.size()), item});
        all.names_ += name;
      });
    Rebuild({}, {}, all);
  }
  for (const auto& shard : shards_) {
    views_.push_back({shard->slots.data(), static_cast<uint32_t>(shard->slots.size()), shard.get()});
    used_ += shard->used;
  }
}

// `before` is cut as this one, or empty.
void NameIndex::Rebuild(const NameIndex& before, const std::vector<bool>& gone, const NameList& added) {
  shards_.resize(size_t{1} << bits_);
  std::vector<uint32_t> ends(shards_.size());  // of the entries of each shard among those in order
  for (const auto& entry : added.entries_) ++ends[ShardOf(entry.hash)];
  for (size_t i = 1; i < ends.size(); ++i) ends[i] += ends[i - 1];
  std::vector<uint32_t> order(added.size());
  std::vector<uint32_t> next(ends.size());
  for (size_t i = 1; i < ends.size(); ++i) next[i] = ends[i - 1];
  for (size_t i = 0; i < added.size(); ++i) order[next[ShardOf(added.entries_[i].hash)]++] = static_cast<uint32_t>(i);
  for (size_t i = 0; i < shards_.size(); ++i) {
    const Shard* const old = before.shards_.empty() ? nullptr : before.shards_[i].get();
    const uint32_t begin = i == 0 ? 0 : ends[i - 1];
    if (old != nullptr && begin == ends[i] && !old->HasOneOf(gone)) {
      shards_[i] = before.shards_[i];
      continue;
    }
    ShardBuilder builder((old == nullptr ? 0 : old->used) + (ends[i] - begin) + 1);
    if (old != nullptr)
      old->ForEach(gone, [&](std::string_view name, uint32_t item) { builder.Add(HashOf(name), name, item); });
    for (uint32_t at = begin; at < ends[i]; ++at) {
      const auto& entry = added.entries_[order[at]];
      builder.Add(entry.hash, std::string_view(added.names_).substr(entry.offset, entry.length), entry.item);
    }
    shards_[i] = builder.Take();
  }
}

const Postings* NameIndex::Find(uint64_t hash, std::string_view name, Postings::Id& list) const {
  const View& view = views_[ShardOf(hash)];
  for (size_t place = PlaceOf(hash, view.count); view.slots[place].posting != Postings::kNone;
       place = place + 1 == view.count ? 0 : place + 1) {
    if (!view.shard->Holds(view.slots[place], hash, name)) continue;
    list = view.slots[place].posting;
    return &view.shard->postings;
  }
  return nullptr;
}

size_t NameIndex::SharedWith(const NameIndex& other) const {
  size_t count = 0;
  for (size_t i = 0; i < shards_.size() && i < other.shards_.size(); ++i) count += shards_[i] == other.shards_[i];
  return count;
}

}  // namespace egret
