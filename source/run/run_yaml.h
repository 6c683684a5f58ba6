// The template of a run's configuration: the text of run.yaml.
#pragma once

#include <string_view>

namespace egret {

std::string_view RunYaml();

}  // namespace egret
