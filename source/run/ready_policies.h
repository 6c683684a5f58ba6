// The policies that --allow @NAME means: the files of deploy/policies, in the binary.
#pragma once

#include <span>
#include <string_view>

namespace egret {

struct ReadyPolicy {
  std::string_view name;  // "pypi"
  std::string_view text;  // YAML
};

std::span<const ReadyPolicy> ReadyPolicies();

}  // namespace egret
