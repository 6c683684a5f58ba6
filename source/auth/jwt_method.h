// A token in Bearer, or in the place of a password for clients that know nothing else. What was found sound is
// remembered until it ends, under a keyed hash.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/auth/auth_method.h"
#include "source/auth/jwt.h"
#include "source/auth/key_feed.h"
#include "source/auth/keyed_hash.h"
#include "source/auth/verdict_cache.h"
#include "source/base/current.h"

namespace egret {

class JwtMethod final : public AuthMethod {
 public:
  // `as_password`: also as the password of Basic, whatever its user. `feed`: where the keys come from; null: they are
  // renewed by themselves.
  JwtMethod(JwtOptions options, bool as_password, std::shared_ptr<const Current<KeySet>> keys,
            std::shared_ptr<const KeyFeed> feed = nullptr);
  AuthBy by() const override { return AuthBy::kJwt; }
  std::vector<std::string> Challenges(std::string_view realm) const override;
  AuthVerdict AtOnce(const AuthQuestion& question) const override;
  Task<AuthVerdict> Check(const AuthQuestion& question) const override;

 private:
  std::optional<std::string_view> TokenOf(const AuthQuestion& question) const;
  // Those in force; where the token names another one of its issuer's, after these have been looked for.
  Task<std::shared_ptr<const KeySet>> KeysFor(const JwtParts& parts) const;
  KeyedHash::Value CacheKey(std::string_view token, const KeySet& keys, bool in_tls) const;

  const JwtOptions options_;
  const bool as_password_;
  const std::shared_ptr<const Current<KeySet>> keys_;
  const std::shared_ptr<const KeyFeed> feed_;
  const KeyedHash hasher_;
  mutable VerdictCache<std::shared_ptr<const Identity>> sound_;  // times: seconds since 1970
};

}  // namespace egret
