// Protobuf -> ext_authz: its options, and the service, which is made anew when its secrets change.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/result.h"
#include "source/config/client_pem.h"
#include "source/config/renewable.h"
#include "source/filters/ext_authz.h"

namespace egret {

struct AuthorizerTarget {
  std::string address;           // host:port
  std::optional<ClientPem> tls;  // none: in clear
  uint64_t timeout_ms = 200;
  uint32_t max_calls = 1000;  // under way at once
};

// How a service comes to be spoken with: those who build chains do not know.
using OpenAuthorizer = std::function<std::shared_ptr<const Authorizer>(const AuthorizerTarget&)>;

// Of a filter of a validated configuration. `where` it stands, for people. Adds to the renewables. The problem names
// the secret.
Result<ExtAuthzOptions, Problem> MakeExtAuthz(const filters::http::v1::ExtAuthz& filter, const std::string& where,
                                              const SecretTable& secrets, const OpenAuthorizer& open,
                                              std::vector<Renewable>& renewables);

}  // namespace egret
