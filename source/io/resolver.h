// What turns a name into addresses. The list that comes back is what policy vets and what is dialled: nothing is looked
// up a second time in between.
#pragma once

#include <string>
#include <vector>

#include "source/base/failure.h"
#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/event/task.h"

namespace egret {

struct Resolved {
  std::vector<IpAddress> addresses;  // never empty, no address twice; IPv6 first, each family in the server's order
  bool from_cache = false;           // no query was made or waited for
};

// One for each loop. Outlives the tasks it gave out; a task may be destroyed at any await.
class Resolver {
 public:
  virtual ~Resolver() = default;

  // `canonical_name` is lower case, A-labels, without the trailing dot; it stays where it is until the task ends.
  // An IP literal is given back as it is. Faults: kDnsTimeout, kDnsFailure, kDnsNotFound, kDnsNoAddress, kOverload.
  virtual Task<Result<Resolved, Fault>> Resolve(const std::string& canonical_name) = 0;
};

}  // namespace egret
