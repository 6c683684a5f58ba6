#include "source/config/bootstrap_file.h"

#include <utility>

#include "source/config/file.h"
#include "source/config/tree.h"
#include "source/config/validate.h"

namespace egret {

namespace {

std::vector<ConfigError> Judge(const config::v1::Bootstrap& bootstrap, const Locations& locations) {
  const bool open = bootstrap.has_xds() || bootstrap.has_directory();
  return open ? ValidateOpen(bootstrap, locations) : Validate(bootstrap, locations);
}

}  // namespace

LoadResult LoadFile(const std::string& path, google::protobuf::Message& into) {
  const bool standard_input = path == "-";
  const auto text = ReadWholeFile(standard_input ? "/dev/stdin" : path, kMostBytes, FileKind::kAny);
  if (text.ok()) return Load(*text, standard_input ? "(standard input)" : path, FormatOf(path), into);
  LoadResult result;
  result.errors.push_back({.file = path, .why = text.error().why, .remedy = text.error().remedy});
  return result;
}

BootstrapFile ReadBootstrap(const std::string& path) {
  BootstrapFile file;
  LoadResult loaded = LoadFile(path, file.bootstrap);
  file.errors = loaded.ok() ? Judge(file.bootstrap, loaded.locations) : std::move(loaded.errors);
  return file;
}

BootstrapFile ReadBootstrapText(std::string_view text, std::string_view name, Format format) {
  BootstrapFile file;
  LoadResult loaded = Load(text, name, format, file.bootstrap);
  file.errors = loaded.ok() ? Judge(file.bootstrap, loaded.locations) : std::move(loaded.errors);
  return file;
}

}  // namespace egret
