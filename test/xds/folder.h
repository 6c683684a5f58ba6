// A folder of a test's own, gone with it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "source/base/strings.h"

namespace egret {

class Folder {
 public:
  Folder() {
    std::string name = Cat(testing::TempDir(), "/xds.XXXXXX");
    path = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string At(std::string_view name) const { return Cat(path, "/", name); }
  void Write(std::string_view name, std::string_view text) const { std::ofstream(At(name)) << text; }
  std::string Read(std::string_view name) const {
    std::stringstream text;
    text << std::ifstream(At(name)).rdbuf();
    return text.str();
  }

  std::string path;
};

}  // namespace egret
