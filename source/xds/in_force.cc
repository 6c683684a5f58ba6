#include "source/xds/in_force.h"

#include <utility>

namespace egret {

InForce::InForce(std::shared_ptr<const config::v1::Bootstrap> bootstrap, ConfigSink& sink)
    : bootstrap_(std::move(bootstrap)), sink_(sink), own_(OwnBodies(*bootstrap_)) {}

std::vector<Blame> InForce::Try(const Slots& slots, Choice& choice) {
  choice = Look(slots);
  if (applied_ == 0 || !SameMessages(choice.bodies, bodies_)) {
    const auto effective = Compose(*bootstrap_, choice.bodies);
    std::vector<Blame> blames = BlameFor(*effective, sink_.Apply(effective));
    if (!blames.empty()) return blames;
    ++applied_;
  }
  bodies_ = choice.bodies;  // perhaps other versions of the same
  return {};
}

std::vector<Blame> InForce::Try(const Slots& slots) {
  Choice choice;
  return Try(slots, choice);
}

}  // namespace egret
