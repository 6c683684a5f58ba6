// Loads a Bootstrap from text for tests: the message, or all errors as they are printed.
#pragma once

#include <string>
#include <string_view>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/config/load.h"

namespace egret {

struct Loaded {
  config::v1::Bootstrap bootstrap;
  LoadResult result;

  std::string errors() const { return ToString(result.errors); }
};

inline Loaded LoadText(std::string_view text, std::string_view file) {
  Loaded loaded;
  loaded.result = Load(text, file, FormatOf(file), loaded.bootstrap);
  return loaded;
}

inline std::string YamlErrors(std::string_view text) { return LoadText(text, "e.yaml").errors(); }
inline std::string JsonErrors(std::string_view text) { return LoadText(text, "e.json").errors(); }
inline std::string TextprotoErrors(std::string_view text) { return LoadText(text, "e.textproto").errors(); }

}  // namespace egret
