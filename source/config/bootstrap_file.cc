#include "source/config/bootstrap_file.h"

#include <utility>

#include "source/config/file.h"
#include "source/config/tree.h"
#include "source/config/validate.h"

namespace egret {

BootstrapFile ReadBootstrap(const std::string& path) {
  const auto text = ReadWholeFile(path == "-" ? "/dev/stdin" : path, kMostBytes, FileKind::kRegularOrPipe);
  if (text.ok()) return ReadBootstrapText(*text, path == "-" ? "(standard input)" : path, FormatOf(path));
  BootstrapFile file;
  file.errors.push_back({.file = path, .why = text.error().why, .remedy = text.error().remedy});
  return file;
}

BootstrapFile ReadBootstrapText(std::string_view text, std::string_view name, Format format) {
  BootstrapFile file;
  LoadResult loaded = Load(text, name, format, file.bootstrap);
  file.errors = loaded.ok() ? Validate(file.bootstrap, loaded.locations) : std::move(loaded.errors);
  return file;
}

}  // namespace egret
