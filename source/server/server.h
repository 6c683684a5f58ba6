// The composition root: from a configuration to workers that carry traffic, and back down in order. Lives on the main
// thread, with a loop of its own for signals and the admin interface.
#pragma once

#include "source/server/options.h"

namespace egret {

// Serves until a signal ends it. The exit status.
int RunServer(const Options& options);
// Checks the configuration and says what is wrong with it. The exit status.
int RunValidate(const Options& options);

}  // namespace egret
