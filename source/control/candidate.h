// A candidate for a group's policies and lists, as its proxies are to preview it: judged together with what is in the
// group's files, and put as that is published.
#pragma once

#include <vector>

#include "egret/control/v1/rejection.pb.h"
#include "source/base/result.h"
#include "source/control/group.h"
#include "source/control/publication.h"

namespace egret {

// `candidate`: policies and domain sets under the names that they have in files. What proxies have to be sent so that
// they decide as if the group's files held it: all whose content, or whose lists' content, is another one. Or what is
// wrong with it. Blocks.
Result<Anys, std::vector<control::v1::Rejection>> MakeCandidate(const GroupFiles& files, const Anys& candidate);

}  // namespace egret
