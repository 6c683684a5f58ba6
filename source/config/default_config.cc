#include "source/config/default_config.h"

namespace egret {
namespace {

constexpr std::string_view kText =
#include "source/config/default_yaml.inc"
    ;

}  // namespace

std::string_view DefaultConfig() { return kText; }

}  // namespace egret
