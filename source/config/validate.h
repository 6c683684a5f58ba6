// Whether a configuration makes sense as a whole. The one validator, the same for files, pushed resources and egretctl:
// it sees messages only, and the loader's places where there are any.
#pragma once

#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"
#include "source/config/tree.h"

namespace egret {

// Errors and warnings, by place. Reads the files of domain sets and compiles the policies, so not on a worker's thread.
std::vector<ConfigError> Validate(const config::v1::Bootstrap& bootstrap, const Locations& locations = {});

// All of it but what only compiling the policies shows: for whoever compiles them anyway. `valid`: one that is; what
// the two share is not judged alone again, only together with the rest, and is not warned of.
std::vector<ConfigError> ValidateUncompiled(const config::v1::Bootstrap& bootstrap, const config::v1::Bootstrap& valid);

// The same of a bootstrap to which resources are pushed: a name that it does not hold is one that may come.
std::vector<ConfigError> ValidateOpen(const config::v1::Bootstrap& bootstrap, const Locations& locations = {});

}  // namespace egret
