// Protobuf -> proxy_auth: its methods, and the lists that they check against, which are made anew when their secrets
// change.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/auth/password_room.h"
#include "source/base/result.h"
#include "source/config/build_key_feed.h"
#include "source/config/renewable.h"
#include "source/config/workload_tables.h"
#include "source/filters/proxy_auth.h"

namespace egret {

// What all of them share. `passwords` is made where it is null and needed, `feeds` gets what it does not have.
struct AuthParts {
  const WorkloadTables& workloads;
  std::shared_ptr<PasswordRoom>& passwords;
  const OpenKeyFeed& open_keys;
  KeyFeeds& feeds;
  KeyFeeds& used;  // gets those that this filter needs
};

// Of a filter of a validated configuration. `where` it stands, for people. Adds to the renewables. The problem names
// the secret.
Result<ProxyAuthOptions, Problem> MakeProxyAuth(const filters::http::v1::ProxyAuth& filter, const std::string& where,
                                                const SecretTable& secrets, const AuthParts& parts,
                                                std::vector<Renewable>& renewables);

}  // namespace egret
