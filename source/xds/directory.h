// A watched folder of resource files, such as a mounted ConfigMap: every file is a Resources message, and all of them
// together are one set. On the config thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/config/error.h"
#include "source/config/tree.h"
#include "source/xds/choose.h"

namespace egret {

// Where a resource came from, for errors that are found later.
struct ResourceOrigin {
  std::string path;  // "policies[2]"
  std::shared_ptr<const Locations> locations;

  // The same error, of a field within the resource, told of a place in the file.
  ConfigError Place(ConfigError error) const;
};

struct DirectorySet {
  Bodies bodies;                    // whole, or not to be used
  std::vector<ConfigError> errors;  // by place
  std::map<ResourceKey, ResourceOrigin> origins;
};

// Files whose names end in .yaml, .yml, .json, .textproto, .txtpb or .pbtxt, and do not begin with a dot; not those of
// folders below. No file at all is an error: a mount that is not there must not empty the configuration. `own`: names
// that the bootstrap has. Blocks.
DirectorySet ReadDirectory(const std::string& path, const Bodies& own);
// Several folders as one set.
DirectorySet ReadDirectories(const std::vector<std::string>& paths, const Bodies& own);

// Tells when to read. A change counts once all is the same at two looks: files are replaced one by one.
class DirectoryWatch {
 public:
  explicit DirectoryWatch(std::string folder) : folders_({std::move(folder)}) {}
  // Of several folders, and single files beside them.
  DirectoryWatch(std::vector<std::string> folders, std::vector<std::string> files)
      : folders_(std::move(folders)), files_(std::move(files)) {}

  // To be called about once a second. True: something has changed and come to rest, or this is the first look.
  bool Look();

 private:
  const std::vector<std::string> folders_;
  const std::vector<std::string> files_;
  std::optional<std::string> read_;  // as it was when it was read last
  std::string seen_;                 // at the last look
};

}  // namespace egret
