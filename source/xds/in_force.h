// What is in force, and the only way to change it: a set of new bodies is put together with what is there, and the sink
// takes the whole of it or nothing. On the config thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/xds/blame.h"
#include "source/xds/choose.h"
#include "source/xds/config_sink.h"

namespace egret {

class InForce {
 public:
  // The sink outlives it.
  InForce(std::shared_ptr<const config::v1::Bootstrap> bootstrap, ConfigSink& sink);

  // Empty: these are in force now, as far as they need not wait. The sink is asked only where something changes.
  // `choice`: what was chosen of them.
  std::vector<Blame> Try(const Slots& slots, Choice& choice);
  std::vector<Blame> Try(const Slots& slots);
  // What would be in force.
  Choice Look(const Slots& slots) const { return Choose(own_, slots, bodies_); }

  const Bodies& own() const { return own_; }
  const Bodies& bodies() const { return bodies_; }
  uint64_t applied() const { return applied_; }

 private:
  const std::shared_ptr<const config::v1::Bootstrap> bootstrap_;
  ConfigSink& sink_;
  const Bodies own_;
  Bodies bodies_;
  uint64_t applied_ = 0;
};

}  // namespace egret
