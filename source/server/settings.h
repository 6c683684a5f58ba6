// A configuration as the server starts from it: loaded, with what the command line says put in, and checked.
#pragma once

#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/chain/access_log.h"
#include "source/io/ares_resolver.h"
#include "source/server/options.h"
#include "source/server/overload.h"
#include "source/tls/key_log.h"

namespace egret {

struct Settings {
  config::v1::Bootstrap bootstrap;
  std::vector<std::string> problems;  // lines for people; empty: it can be served
  std::vector<std::string> warnings;
};

// Reads options.config, or the embedded default.
Settings LoadSettings(const Options& options);

MemoryThresholds MemoryThresholdsOf(const config::v1::Limits& limits);
KeyLog::Options KeyLogOptionsOf(const config::v1::Debug::TlsKeyLog& key_log);
AresResolverOptions ResolverOptionsOf(const config::v1::Bootstrap& bootstrap);
// Where the access log goes, as JSON to standard output where nothing is configured.
LogPlan LogPlanOf(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
