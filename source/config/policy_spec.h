// Policies as the policy compiler takes them.
#pragma once

#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/ip.h"
#include "source/config/error.h"
#include "source/policy/spec.h"

namespace egret {

// `path` is the message's own, for errors: "policies[3]". They have no places.
PolicySpec ToPolicySpec(const config::v1::EgressPolicy& policy, const std::string& path,
                        std::vector<ConfigError>& errors);

struct ReadDomainSet {
  DomainSetSpec spec;
  std::vector<int> lines;  // that its file_domains came from
};
// Reads its file: not on a worker's thread.
ReadDomainSet ToDomainSetSpec(const config::v1::DomainSet& set, const std::string& path,
                              std::vector<ConfigError>& errors);

// `own`: the endpoints of this proxy's own sockets, which no destination may be; as bound, where the configuration says
// port 0.
AddressGuardSpec ToGuardSpec(const config::v1::Bootstrap& bootstrap, std::vector<Endpoint> own);

// The endpoints of listeners and admin as the configuration says them; ports 0 and unix sockets are left out.
std::vector<Endpoint> OwnEndpoints(const config::v1::Bootstrap& bootstrap);

}  // namespace egret
