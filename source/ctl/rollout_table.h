// What egretctl rollout shows. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "egret/control/v1/control.pb.h"

namespace egret {

// Groups that have a next release, and nothing else of the status.
control::v1::StatusResponse RolloutsOf(const control::v1::StatusResponse& status);
bool AnyHalted(const control::v1::StatusResponse& status);
std::string RolloutTable(const control::v1::StatusResponse& status, int64_t now_unix);

}  // namespace egret
