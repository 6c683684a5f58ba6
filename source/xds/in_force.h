// What is in force, and the only way to change it: a set of new bodies is put together with what is there, and the sink
// takes the whole of it or nothing. On the config thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/xds/blame.h"
#include "source/xds/choose.h"
#include "source/xds/compose.h"
#include "source/xds/config_sink.h"

namespace egret {

class InForce {
 public:
  using Ms = int64_t;
  // Connections of chains that are in force no more go on by the policies that those named, and so do tunnels for a
  // while: a policy that nothing refers to any more stays for so long.
  static constexpr Ms kLinger = 60'000;

  // The sink outlives it.
  InForce(const std::shared_ptr<const config::v1::Bootstrap>& bootstrap, ConfigSink& sink);

  // Empty: these are in force now, as far as they need not wait. The sink is asked only where something changes.
  // `choice`: what was chosen of them; its bodies become bodies() when they are in force.
  std::vector<Blame> Try(Slots slots, Choice& choice, Ms now);
  // What would be in force.
  Choice Look(const Slots& slots) const;
  // When to try again, though nothing else changes.
  std::optional<Ms> Due() const;

  const Bodies& own() const { return own_; }
  const Bodies& bodies() const { return bodies_; }  // without what lingers
  uint64_t applied() const { return applied_; }

 private:
  struct Lingering {
    BodyPtr body;
    Ms until;
  };
  using Lingerers = std::map<ResourceKey, Lingering>;
  Lingerers LingeringBeside(const Bodies& next, Ms now) const;
  bool Refines(const Slots& slots) const;

  const Composer composer_;
  ConfigSink& sink_;
  const Bodies own_;
  Bodies bodies_;
  // Where the last choice was of all that there was and nothing waited: of what, and what was wanted.
  Slots settled_;
  std::set<ResourceKey> wanted_;
  Lingerers lingering_;
  uint64_t applied_ = 0;
};

}  // namespace egret
