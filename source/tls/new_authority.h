// Makes certificate authorities: keys on P-256, SHA-256.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/tls/certificates.h"

namespace egret {

struct NewAuthorityOptions {
  std::string common_name;
  int64_t lifetime_s = 0;
  int path_length = 0;  // how many CAs may stand below it
  // Domains that it may speak for, each with all below it, and address ranges; empty: any.
  std::vector<std::string> permit = {};
};

struct NewAuthority {
  X509Ptr certificate;
  KeyPtr key;
};

// `issuer`: signs it; null: it signs itself. Valid from an hour before `now` (seconds since 1970), never beyond its
// issuer. The problem tells of a name or range in `permit` that cannot be one, or of an issuer that cannot sign.
Result<NewAuthority, Problem> MakeAuthority(const NewAuthorityOptions& options, const NewAuthority* issuer,
                                            int64_t now);

}  // namespace egret
