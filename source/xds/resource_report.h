// What a control plane has to be told of resources: of what is known here only that which it was not told yet. Pure. On
// the config thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "egret/control/v1/fleet.pb.h"
#include "source/xds/push_status.h"

namespace egret {

class ResourceReport {
 public:
  // Of one report; more go into the next ones.
  static constexpr int kMostInOne = 2'000;
  static constexpr int kMostErrors = 20;  // of one resource

  // A stream has begun: nothing was told.
  void Begin() { told_.clear(); }
  // To be sent in order. At least one report.
  std::vector<control::v1::Report> Next(const std::vector<ResourceStatus>& resources);

 private:
  using Key = std::pair<std::string_view, std::string>;  // type URL and name
  std::map<Key, size_t> told_;                           // a hash of what was said
};

}  // namespace egret
