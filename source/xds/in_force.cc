#include "source/xds/in_force.h"

#include <algorithm>
#include <utility>

namespace egret {

InForce::InForce(const std::shared_ptr<const config::v1::Bootstrap>& bootstrap, ConfigSink& sink)
    : composer_(*bootstrap), sink_(sink), own_(OwnBodies(*bootstrap)) {}

std::vector<Blame> InForce::Try(Slots slots, Choice& choice, Ms now) {
  choice = Look(slots);
  Lingerers lingering = LingeringBeside(choice.bodies, now);
  if (applied_ == 0 || !SameMessages(choice.bodies, bodies_) || lingering.size() != lingering_.size()) {
    Bodies all = choice.bodies;
    for (const auto& [key, one] : lingering) all.emplace(key, one.body);
    const std::shared_ptr<const config::v1::Bootstrap> effective = composer_.With(all);
    std::vector<Blame> blames = BlameFor(*effective, sink_.Apply(effective));
    if (!blames.empty()) return blames;
    ++applied_;
  }
  bodies_ = std::move(choice.bodies);  // perhaps other versions of the same
  lingering_ = std::move(lingering);
  const bool whole = choice.missing.empty() && choice.warming.empty() &&
                     std::all_of(slots.begin(), slots.end(), [](const auto& slot) { return slot.second != nullptr; });
  settled_ = whole ? std::move(slots) : Slots();
  wanted_ = whole ? choice.wanted : std::set<ResourceKey>();
  return {};
}

// Where nothing waits and nothing is parked, the choice depends on who refers to whom alone.
Choice InForce::Look(const Slots& slots) const {
  if (!Refines(slots)) return Choose(own_, slots, bodies_);
  Choice choice{.bodies = bodies_, .wanted = wanted_, .missing = {}, .warming = {}};
  auto next = slots.begin();
  for (auto& [key, body] : choice.bodies) {
    while (next != slots.end() && next->first < key) ++next;
    if (next != slots.end() && next->first == key && !own_.contains(key)) body = next->second;
  }
  return choice;
}

// The same resources as those of the last choice, which refer to the same ones.
bool InForce::Refines(const Slots& slots) const {
  return !settled_.empty() &&
         std::equal(slots.begin(), slots.end(), settled_.begin(), settled_.end(),
                    [](const auto& one, const auto& other) {
                      return one.second != nullptr && one.first == other.first &&
                             (one.second == other.second || one.second->references == other.second->references);
                    });
}

// A policy, and with it what it refers to, which never goes before it.
InForce::Lingerers InForce::LingeringBeside(const Bodies& next, Ms now) const {
  Lingerers lingering;
  for (const auto& [key, body] : bodies_)
    if ((key.type == ResourceType::kEgressPolicy || key.type == ResourceType::kDomainSet) && !next.contains(key))
      lingering.emplace(key, Lingering{body, now + kLinger});
  for (const auto& [key, one] : lingering_)
    if (one.until > now && !next.contains(key)) lingering.emplace(key, one);
  return lingering;
}

std::optional<InForce::Ms> InForce::Due() const {
  std::optional<Ms> due;
  for (const auto& [key, one] : lingering_) due = std::min(due.value_or(INT64_MAX), one.until);
  return due;
}

}  // namespace egret
