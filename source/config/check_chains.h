// Chains as a whole: each ends in a terminal filter and has none before its end; nothing that dials is reached without
// egress_policy before it; the first egress_policy of a connection names the policies, the later ones none; no listener
// leads back to itself.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"

namespace egret {

// How many internal listeners may lie inside each other.
inline constexpr size_t kMostTunnelsInTunnels = 4;

// Each chain on its own.
std::vector<ConfigError> CheckChains(const config::v1::Bootstrap& bootstrap);

// All ways that a connection can take from a socket through tunnels. Names that are not there are left to CheckNames.
std::vector<ConfigError> CheckWays(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
