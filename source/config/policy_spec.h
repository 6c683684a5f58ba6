// Policies as the policy compiler takes them, and its errors as errors of the configuration.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/config/error.h"
#include "source/policy/policy.h"
#include "source/policy/spec.h"

namespace egret {

struct PolicySource {
  PolicySetSpec spec;
  // Of each domain set the lines that its file_domains came from.
  std::vector<std::vector<int>> file_lines;
  std::vector<std::string> files;
};

// Reads the files of domain sets: not on a worker's thread. `own`: the endpoints of this proxy's own sockets, which no
// destination may be; as bound, where the configuration says port 0. Appends errors without places.
PolicySource ToPolicySpec(const config::v1::Bootstrap& bootstrap, std::vector<Endpoint> own,
                          std::vector<ConfigError>& errors);

// The endpoints of listeners and admin as the configuration says them; ports 0 and unix sockets are left out.
std::vector<Endpoint> OwnEndpoints(const config::v1::Bootstrap& bootstrap);

// Both steps. Errors have field paths of the bootstrap, or file and line of a domain set's file.
Result<std::shared_ptr<const Policy>, std::vector<ConfigError>> CompilePolicies(const config::v1::Bootstrap& bootstrap,
                                                                                std::vector<Endpoint> own);

}  // namespace egret
