// A changed decision as a report has it.
#pragma once

#include "egret/control/v1/fleet.pb.h"
#include "source/chain/change_table.h"

namespace egret {

// All of it but the preview's id.
control::v1::ChangedDecision ToldOf(const PolicyChange& change, const ChangeCount& count);

PolicyChange ChangeOf(const control::v1::ChangedDecision& told);
ChangeCount CountOf(const control::v1::ChangedDecision& told);

}  // namespace egret
