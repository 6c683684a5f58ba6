// A JSON Web Key Set (RFC 7517): public keys by which tokens are checked. Each key is for one algorithm, which is its
// own to say and not a token's (RFC 8725 3.1); symmetric keys are no keys here. Immutable.
#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/json_value.h"
#include "source/base/result.h"
#include "source/policy/identity.h"

namespace egret {

// RFC 7518 3.1, RFC 8037 3.1.
enum class JwtAlgorithm : uint8_t { kRs256, kRs384, kRs512, kPs256, kEs256, kEs384, kEdDsa };
std::string_view NameOf(JwtAlgorithm algorithm);  // "RS256"

class Jwk {
 public:
  // Nothing: a key that is not for this, or not understood, and so left out (RFC 7517 5).
  static Result<std::optional<Jwk>, Problem> Parse(const JsonValue& key);

  const std::string& id() const { return id_; }  // its kid; may be empty
  JwtAlgorithm algorithm() const { return algorithm_; }
  // `signature` as RFC 7518 3.4 has it for ECDSA.
  bool Verifies(std::string_view text, std::string_view signature) const;

  bool SameAs(const Jwk& other) const;
  const std::shared_ptr<Vouch>& vouch() const { return vouch_; }
  void TakeVouch(const Jwk& before) { vouch_ = before.vouch_; }

 private:
  Jwk(std::string id, JwtAlgorithm algorithm, std::shared_ptr<EVP_PKEY> key);

  std::string id_;
  JwtAlgorithm algorithm_;
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<Vouch> vouch_;
};

// By default without any key, so that no signature is good.
class KeySet {
 public:
  // `before`: what was in force; whoever is known by a key that stays is still known. May be null. The problem says
  // which key, and nothing of it.
  static Result<std::shared_ptr<const KeySet>, Problem> Parse(std::string_view json, const KeySet* before);
  // Whoever was known by a key that `next` does not have is not known any more.
  void WithdrawAllBut(const KeySet& next) const;

  // The one of this id. Without an id, the only one there is. Null: none.
  const Jwk* Find(std::optional<std::string_view> id) const;
  uint64_t number() const { return number_; }  // of this process, rising

 private:
  const Jwk* FindSame(const Jwk& key) const;

  std::vector<Jwk> keys_;
  uint64_t number_ = 0;
};

}  // namespace egret
