// The configuration of one group of proxies, as its files have it: read, and judged by the code that the proxies judge
// with.
#pragma once

#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"
#include "source/xds/choose.h"

namespace egret {

struct GroupFiles {
  std::vector<std::string> folders;  // of resource files; together they are one set
  std::string bootstrap;             // the file that the group's proxies start with; empty: not known
};

struct GroupConfig {
  config::v1::Bootstrap bootstrap;  // that the proxies start with, as far as it is known
  Bodies own;                       // what they have from it
  Bodies bodies;                    // to be published; whole, or not to be used
  std::vector<ConfigError> errors;  // why they are not to be used, by place
};

// All that a proxy would say against it, and every name that is in neither the folders nor the bootstrap. Blocks.
GroupConfig ReadGroup(const GroupFiles& files);

}  // namespace egret
