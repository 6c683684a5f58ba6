// The patterns of body_rewrite, compiled as they are used.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>

namespace egret {

// Ask it for ok().
inline std::shared_ptr<const re2::RE2> CompileBodyPattern(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return std::make_shared<const re2::RE2>(pattern, options);
}

}  // namespace egret
