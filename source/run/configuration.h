// The configuration that a run is served with.
#pragma once

#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/run/options.h"
#include "source/server/settings.h"
#include "source/server/take_over.h"

namespace egret {

struct RunConfiguration {
  Settings settings;
  // Where a policy looks into TLS: what clients have to believe, the system's roots and the CA of this run, as PEM.
  std::string trust_pem;
  std::string trust_java;  // the same as Java's trust store
};

// Valid, or the problems that people are told, one a line.
Result<RunConfiguration, Problem> ConfigurationOf(const RunOptions& options);
// What it serves there is on these sockets; listeners without one are left out.
void ServeOn(const std::vector<NamedSocket>& sockets, config::v1::Bootstrap& bootstrap);

}  // namespace egret
