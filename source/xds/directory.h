// A watched folder of resource files, such as a mounted ConfigMap: every file is a Resources message, and all of them
// together are one set. On the config thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/config/error.h"
#include "source/xds/choose.h"

namespace egret {

struct DirectorySet {
  Bodies bodies;                    // whole, or not to be used
  std::vector<ConfigError> errors;  // by place
};

// Files whose names end in .yaml, .yml, .json, .textproto, .txtpb or .pbtxt, and do not begin with a dot; not those of
// folders below. No file at all is an error: a mount that is not there must not empty the configuration. `own`: names
// that the bootstrap has. Blocks.
DirectorySet ReadDirectory(const std::string& path, const Bodies& own);

// Tells when to read. A change counts once the folder is the same at two looks: files are replaced one by one.
class DirectoryWatch {
 public:
  explicit DirectoryWatch(std::string path) : path_(std::move(path)) {}

  // To be called about once a second. True: the folder has changed and come to rest, or this is the first look.
  bool Look();

 private:
  const std::string path_;
  std::optional<std::string> read_;  // as it was when it was read last
  std::string seen_;                 // at the last look
};

}  // namespace egret
