// What the bootstrap says about who asks, and for what.
#pragma once

#include <string_view>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/xds/delta_state.h"
#include "source/xds/read_resource.h"

namespace egret {

DiscoveryNode NodeOf(const config::v1::Bootstrap& bootstrap, std::string_view release);
// The subscriptions, in the order in which they are begun. None without xds.
std::vector<WireType> WireTypesOf(const config::v1::Bootstrap& bootstrap);
ReadRules ReadRulesOf(const config::v1::Xds& xds);

}  // namespace egret
