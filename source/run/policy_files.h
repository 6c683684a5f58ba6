// What --policy names: a folder of resources, as egret-control and `directory` take it, or one file.
#pragma once

#include <string>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/config/tree.h"

namespace egret {

struct PolicyFiles {
  config::v1::Bootstrap resources;  // policies and what goes with them; a file's resolver as well
  Locations locations;              // for errors that are found later
};

// A folder's listeners are left out: a run has its own. What else has no place in a run is a problem.
Result<PolicyFiles, Problem> ReadPolicyFiles(const std::string& path);

}  // namespace egret
