#include "source/xds/push_status.h"

namespace egret {

std::string_view NameOf(ConfigSource source) {
  switch (source) {
    case ConfigSource::kBootstrap:
      return "bootstrap";
    case ConfigSource::kDirectory:
      return "directory";
    case ConfigSource::kLastGood:
      return "last_good";
    case ConfigSource::kXds:
      return "xds";
  }
  return "";
}

std::string_view NameOf(ResourceState state) {
  switch (state) {
    case ResourceState::kInForce:
      return "in_force";
    case ResourceState::kParked:
      return "parked";
    case ResourceState::kConflict:
      return "conflict";
    case ResourceState::kWarming:
      return "warming";
    case ResourceState::kMissing:
      return "missing";
    case ResourceState::kUnused:
      return "unused";
  }
  return "";
}

}  // namespace egret
