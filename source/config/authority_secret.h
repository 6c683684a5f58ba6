// A secret with `certificate_authority` -> the CA that mints leaves, and anew when its files change.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

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
  std::shared_ptr<const Renewable> part;
};

// By the names of their secrets.
using Authorities = std::map<std::string, LoadedAuthority, std::less<>>;

// All there are: each is given out to clients, whichever chain mints with it. Those that are in `before` are taken over
// as they are. The problem names secret and field.
Result<Authorities, Problem> LoadAuthorities(const SecretTable& secrets, const Authorities& before);

}  // namespace egret
