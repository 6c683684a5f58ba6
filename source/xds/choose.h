// Which body of each resource is to be in force. Pure.
//
// A resource's new body is used once all that it refers to can be used as well; until then the one in force stays, and
// keeps what it refers to, even if that was removed since; where none is in force the resource is absent, and so is
// what needs it. So everything warms up in whatever order it comes, and nothing is taken away from under what uses it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/xds/resource.h"

namespace egret {

// What a source has to say of a resource: a body to be used, or null: whatever is in force stays (it is parked).
using Slots = std::map<ResourceKey, BodyPtr>;
using Bodies = std::map<ResourceKey, BodyPtr>;

struct Choice {
  Bodies bodies;                                            // to be in force: those of the bootstrap, too
  std::set<ResourceKey> wanted;                             // referred to, and not the bootstrap's: to be asked for
  std::map<ResourceKey, std::vector<ResourceKey>> missing;  // wanted and not to be had, and who waits for it
  std::set<ResourceKey> warming;                            // have a new body that waits for something missing
};

// The resources of the bootstrap as bodies. They are there whatever is pushed.
Bodies OwnBodies(const config::v1::Bootstrap& bootstrap);

// `own` as OwnBodies gives it, `in_force` the bodies of the choice before.
Choice Choose(const Bodies& own, const Slots& slots, const Bodies& in_force);

// Whether two sets of bodies make the same configuration.
bool SameMessages(const Bodies& a, const Bodies& b);

}  // namespace egret
