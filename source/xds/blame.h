// Errors of a whole configuration, told by the resource that they are about.
#pragma once

#include <optional>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"
#include "source/xds/resource.h"

namespace egret {

struct Blame {
  std::optional<ResourceKey> resource;  // none: it is about something else of the bootstrap
  ConfigError error;                    // its field is a path within the resource
};

// `policies[3].rules[0].to` -> the fourth policy and `rules[0].to`.
Blame BlameFor(const config::v1::Bootstrap& bootstrap, ConfigError error);
// Of the errors; warnings are left out.
std::vector<Blame> BlameFor(const config::v1::Bootstrap& bootstrap, std::vector<ConfigError> errors);

}  // namespace egret
