// A secret with `certificate_authority` -> the CA that mints leaves, and anew when its files change.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/current.h"
#include "source/base/result.h"
#include "source/config/renewable.h"
#include "source/tls/authority.h"

namespace egret {

// Read for each handshake: a CA that takes the other's place serves those that begin from then on.
using CurrentAuthority = std::shared_ptr<const Current<CertificateAuthority>>;

struct LoadedAuthority {
  CurrentAuthority authority;
  Renewable part;
};

// Of a validated bootstrap, which outlives the part; `name`: of the secret. The problem names secret and field.
Result<LoadedAuthority, Problem> LoadAuthority(const config::v1::Bootstrap& bootstrap, const std::string& name);

// By the names of their secrets.
using Authorities = std::map<std::string, CurrentAuthority, std::less<>>;

// All there are: each is given out to clients, whichever chain mints with it.
Result<Authorities, Problem> LoadAuthorities(const config::v1::Bootstrap& bootstrap,
                                             std::vector<Renewable>& renewables);

}  // namespace egret
