#include "source/policy/name_index.h"

#include <limits>
#include <utility>

#include "source/base/check.h"

namespace egret {

uint64_t NameIndex::HashOf(std::string_view name) {
  uint64_t hash = kSeed;
  for (size_t at = name.size(); at-- > 0;) hash = Step(hash, name[at]);
  return Mix(hash);
}

void NameIndex::Add(const DomainPattern& pattern, uint32_t group) {
  uint32_t bits = 0;
  if (pattern.kind != DomainPattern::Kind::kBelow) bits |= kExact;
  if (pattern.kind != DomainPattern::Kind::kExact) bits |= kBelow;
  Slot& slot = FindOrInsert(pattern.name);
  const bool again = slot.posting != Postings::kNone && postings_.ItemOf(slot.posting) >> 2 == group;
  if (again) bits |= postings_.ItemOf(slot.posting) & (kExact | kBelow);
  slot.posting = postings_.With(again ? postings_.RestOf(slot.posting) : slot.posting, group << 2 | bits);
}

NameIndex::Slot& NameIndex::FindOrInsert(std::string_view name) {
  if (2 * (used_ + 1) > slots_.size()) Grow();
  const uint64_t hash = HashOf(name);
  size_t place = PlaceOf(hash);
  for (; slots_[place].posting != Postings::kNone; place = (place + 1) & (slots_.size() - 1))
    if (Holds(slots_[place], hash, name)) return slots_[place];
  CHECK(names_.size() + name.size() < std::numeric_limits<uint32_t>::max());
  slots_[place] = {static_cast<uint32_t>(hash), static_cast<uint32_t>(names_.size()),
                   static_cast<uint32_t>(name.size()), Postings::kNone};
  names_ += name;
  ++used_;
  return slots_[place];
}

Postings::Id NameIndex::Find(uint64_t hash, std::string_view name) const {
  for (size_t place = PlaceOf(hash); slots_[place].posting != Postings::kNone;
       place = (place + 1) & (slots_.size() - 1))
    if (Holds(slots_[place], hash, name)) return slots_[place].posting;
  return Postings::kNone;
}

void NameIndex::Grow() {
  std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.posting == Postings::kNone) continue;
    size_t place = PlaceOf(HashOf(std::string_view(names_).substr(slot.offset, slot.length)));
    while (slots_[place].posting != Postings::kNone) place = (place + 1) & (slots_.size() - 1);
    slots_[place] = slot;
  }
}

}  // namespace egret
