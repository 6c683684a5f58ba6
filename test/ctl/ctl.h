// egretctl, run in this process.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"
#include "source/ctl/command.h"

namespace egret {

struct Said {
  int status;
  std::string out;
  std::string err;
};

inline Said Ctl(const std::vector<std::string>& arguments) {
  Output output;
  const int status = RunEgretctl(arguments, output);
  return {status, output.out, output.err};
}

// The path of a file with that text.
inline std::string FileOf(std::string_view name, std::string_view text) {
  const std::string path = Cat(testing::TempDir(), "/", name);
  FILE* file = fopen(path.c_str(), "w");
  EXPECT_NE(file, nullptr);
  fwrite(text.data(), 1, text.size(), file);
  fclose(file);
  return path;
}

}  // namespace egret
