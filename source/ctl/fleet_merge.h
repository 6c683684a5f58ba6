// What several replicas of a control plane know, as one. Pure.
#pragma once

#include <vector>

#include "egret/control/v1/control.pb.h"

namespace egret {

// Of a proxy that more than one knows, the word of that counts which it is connected to, or which saw it last. Replicas
// that serve different versions of a group are a problem of that group. At least one.
control::v1::StatusResponse Merge(const std::vector<control::v1::StatusResponse>& replicas);

}  // namespace egret
