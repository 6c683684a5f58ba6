// egret-control from its start to its end.
#pragma once

#include "source/control/options.h"

namespace egret {

// Both give the exit status.
int RunControl(const ControlOptions& options);
int RunControlCheck(const ControlOptions& options);

}  // namespace egret
