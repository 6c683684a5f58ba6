#include "source/xds/in_force.h"

#include <algorithm>
#include <utility>

namespace egret {

InForce::InForce(std::shared_ptr<const config::v1::Bootstrap> bootstrap, ConfigSink& sink)
    : bootstrap_(std::move(bootstrap)), sink_(sink), own_(OwnBodies(*bootstrap_)) {}

std::vector<Blame> InForce::Try(const Slots& slots, Choice& choice, Ms now) {
  choice = Look(slots);
  Lingerers lingering = LingeringBeside(choice.bodies, now);
  if (applied_ == 0 || !SameMessages(choice.bodies, bodies_) || lingering.size() != lingering_.size()) {
    Bodies all = choice.bodies;
    for (const auto& [key, one] : lingering) all.emplace(key, one.body);
    const auto effective = Compose(*bootstrap_, all);
    std::vector<Blame> blames = BlameFor(*effective, sink_.Apply(effective));
    if (!blames.empty()) return blames;
    ++applied_;
  }
  bodies_ = choice.bodies;  // perhaps other versions of the same
  lingering_ = std::move(lingering);
  return {};
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
