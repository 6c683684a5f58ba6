// What a control plane knows of its fleet, for people.
#pragma once

#include <string>

#include "egret/control/v1/control.pb.h"

namespace egret {

// Every group's files are served, and every proxy that is connected has all of it in force.
bool AllInForce(const control::v1::StatusResponse& status);

// Tables of groups and proxies, then what is wrong, a line each. `now_unix`: for ages, in seconds. Nothing that a proxy
// said can move the terminal's cursor.
std::string FleetTable(const control::v1::StatusResponse& status, int64_t now_unix);

}  // namespace egret
