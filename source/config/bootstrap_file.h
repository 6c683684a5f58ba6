// The file that a proxy starts with: read, loaded and validated.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/error.h"
#include "source/config/load.h"

namespace egret {

struct BootstrapFile {
  config::v1::Bootstrap bootstrap;  // to be used only where ok()
  std::vector<ConfigError> errors;  // and warnings, by place

  bool ok() const { return !HasErrors(errors); }
};

// The format goes by the end of the name; "-" is standard input. Blocks.
BootstrapFile ReadBootstrap(const std::string& path);

// Reads and loads only, for what is not to be judged as a whole. An error says that the file cannot be read, too.
LoadResult LoadFile(const std::string& path, google::protobuf::Message& into);

// The same as ReadBootstrap of a text at hand; `name` is for errors.
BootstrapFile ReadBootstrapText(std::string_view text, std::string_view name, Format format);

}  // namespace egret
