// The policies and domain sets of a folder, for a preview; and what a proxy says is wrong with them, told of the files.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"
#include "source/xds/directory.h"

namespace egret {

struct CandidateFolder {
  config::v1::Resources resources;
  std::vector<ConfigError> errors;                // by place; then nothing else is of use
  size_t left_out = 0;                            // resources of other types
  std::map<std::string, ResourceOrigin> origins;  // by the path within `resources`: "policies[0]"
  std::map<ResourceKey, std::string> places;      // the paths

  // An error with a path within `resources`.
  ConfigError Place(ConfigError error) const;
  // An error with a path within one of the resources.
  ConfigError PlaceOf(std::string_view type_url, const std::string& name, ConfigError error) const;
};

// Each file as a proxy reads its `directory`. Blocks.
CandidateFolder ReadCandidateFolder(const std::string& path);

}  // namespace egret
