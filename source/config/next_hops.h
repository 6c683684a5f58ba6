// Upstreams -> the parent proxies that filters go through.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/config/renewable.h"
#include "source/upstream/next_hop.h"

namespace egret {

struct BuiltHop {
  std::string message;  // what it was built of
  std::shared_ptr<const NextHop> hop;
  std::vector<std::shared_ptr<const Renewable>> renewables;
};

// By the names of their upstreams.
using NextHops = std::map<std::string, std::shared_ptr<const BuiltHop>, std::less<>>;

// Of a validated configuration. One that is in `before` and has not changed is taken over as it is. The problem names
// upstream or secret.
Result<NextHops, Problem> BuildNextHops(const config::v1::Bootstrap& bootstrap, const SecretTable& secrets,
                                        const NextHops& before);

}  // namespace egret
