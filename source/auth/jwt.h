// JSON Web Tokens (RFC 7519) as JWS in compact form (RFC 7515), checked as RFC 8725 has it: the key says the algorithm,
// what has to be understood and is not (`crit`) ends it, and issuer, audience and times are always looked at.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/auth/jwks.h"
#include "source/policy/identity.h"

namespace egret {

struct JwtOptions {
  std::string issuer;
  std::vector<std::string> audiences;  // one of which it must name
  std::string user_claim = "sub";
  std::string groups_claim = "groups";
};

// Clocks of issuers may be so far ahead or behind.
inline constexpr int64_t kJwtLeewaySeconds = 30;

// What it says of itself, before anything is believed.
struct JwtParts {
  std::string_view signed_text;   // header and payload, as they were signed
  std::string_view payload;       // encoded
  std::string signature;          // decoded
  std::string algorithm;          // its `alg`
  std::optional<std::string> id;  // its `kid`
};
// Nothing: it is no token that could be checked. Refers to the token.
std::optional<JwtParts> ParseJwt(std::string_view token);

// Whether it says that this issuer made it, which nobody has proved yet.
bool NamesIssuer(const JwtParts& parts, std::string_view issuer);

// Who asks by it; null where it proves nothing now. Takes the time of one signature. `now`: seconds since 1970. Its
// identity ends with it.
std::shared_ptr<const Identity> CheckJwt(const JwtParts& parts, const KeySet& keys, const JwtOptions& options,
                                         Assurance assurance, int64_t now);

}  // namespace egret
