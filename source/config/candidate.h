// A policy as it would be with other resources in place of those of the same name.
#pragma once

#include <memory>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/config/error.h"
#include "source/policy/policy.h"

namespace egret {

// `candidate`: policies and domain sets, judged as if they were pushed: together with the rest of `now`, and naming no
// file. Errors have field paths of `candidate`, where they are of it. Compiles: not on a worker's thread.
Result<std::shared_ptr<const Policy>, std::vector<ConfigError>> CompileCandidate(const config::v1::Bootstrap& now,
                                                                                 const config::v1::Resources& candidate,
                                                                                 std::vector<Endpoint> own);

}  // namespace egret
