// Protobuf -> credential_broker.
#pragma once

#include <string>
#include <vector>

#include "egret/filters/http/v1/filters.pb.h"
#include "source/base/result.h"
#include "source/config/renewable.h"
#include "source/filters/credential_broker.h"

namespace egret {

// Of a message that Validate() found no fault with. `what`: for people. A secret that cannot be read, or is no line of
// visible ASCII, is a problem that names it and does not show it.
Result<CredentialBrokerOptions, Problem> MakeCredentialBroker(const filters::http::v1::CredentialBroker& message,
                                                              const std::string& what, const SecretTable& secrets,
                                                              std::vector<Renewable>& renewables);

}  // namespace egret
