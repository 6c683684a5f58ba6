// Keys of an issuer of tokens, made for a test.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

#include "source/auth/jwks.h"

namespace egret {

class JwtIssuer {
 public:
  explicit JwtIssuer(JwtAlgorithm algorithm, std::string id = "k1", int rsa_bits = 2048);

  std::string Jwk(std::string_view more = "") const;  // as a member of `keys`, with these members besides
  std::string Jwks() const;                           // a set of it alone
  std::string Sign(std::string_view payload) const;   // a token, with the key's own header
  std::string SignAs(std::string_view header, std::string_view payload) const;
  std::string HeaderOf(std::string_view more = "") const;

 private:
  std::string SignatureOf(std::string_view text) const;

  JwtAlgorithm algorithm_;
  std::string id_;
  std::shared_ptr<EVP_PKEY> key_;
};

// As RFC 7515 2 has it.
std::string Base64Url(std::string_view bytes);

}  // namespace egret
