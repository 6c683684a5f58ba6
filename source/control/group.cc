#include "source/control/group.h"

#include <google/protobuf/any.pb.h>

#include <algorithm>
#include <set>
#include <utility>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/bootstrap_file.h"
#include "source/config/validate.h"
#include "source/xds/blame.h"
#include "source/xds/compose.h"
#include "source/xds/directory.h"
#include "source/xds/node.h"
#include "source/xds/read_resource.h"

namespace egret {
namespace {

using config::v1::Bootstrap;

class GroupReader {
 public:
  GroupConfig Read(const GroupFiles& files) {
    if (!files.bootstrap.empty()) {
      config_.errors = LoadFile(files.bootstrap, bootstrap_).errors;
      if (!config_.errors.empty()) return std::move(config_);
      config_.own = OwnBodies(bootstrap_);
    }
    set_ = ReadDirectories(files.folders, config_.own);
    if (set_.errors.empty()) CheckAsPushed();
    if (set_.errors.empty()) CheckTogether();
    config_.bootstrap = std::move(bootstrap_);
    SortByPlace(set_.errors);
    config_.errors = std::move(set_.errors);
    if (!HasErrors(config_.errors)) config_.bodies = std::move(set_.bodies);
    return std::move(config_);
  }

 private:
  // What comes by push may do less than what is in a file of the proxy's own.
  void CheckAsPushed() {
    const ReadRules rules = ReadRulesOf(bootstrap_.xds());
    for (const auto& [key, body] : set_.bodies) {
      google::protobuf::Any any;
      any.PackFrom(*body->message);
      for (ConfigError& error : ReadResource(NativeType(key.type), key.name, "", any, rules).errors)
        Tell(key, std::move(error));
    }
  }

  void CheckTogether() {
    Bodies all = config_.own;
    all.insert(set_.bodies.begin(), set_.bodies.end());
    const auto together = Compose(bootstrap_, all);
    for (Blame& blame : BlameFor(*together, Validate(*together))) {
      if (blame.resource && set_.origins.contains(*blame.resource))
        Tell(*blame.resource, std::move(blame.error));
      else if (!IsOfBootstrap(blame))
        set_.errors.push_back(std::move(blame.error));
    }
  }

  // What the bootstrap has against itself is between the proxy and this machine, where its files need not be.
  bool IsOfBootstrap(const Blame& blame) {
    if (own_errors_.empty())
      for (const Blame& own : BlameFor(bootstrap_, ValidateOpen(bootstrap_)))
        own_errors_.emplace(own.resource, own.error.ToString());
    return own_errors_.contains({blame.resource, blame.error.ToString()});
  }

  void Tell(const ResourceKey& key, ConfigError error) {
    set_.errors.push_back(set_.origins.at(key).Place(std::move(error)));
  }

  Bootstrap bootstrap_;
  DirectorySet set_;
  GroupConfig config_;
  std::set<std::pair<std::optional<ResourceKey>, std::string>> own_errors_;
};

}  // namespace

GroupConfig ReadGroup(const GroupFiles& files) { return GroupReader().Read(files); }

}  // namespace egret
