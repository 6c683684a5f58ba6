// The certificate of the client's TLS to the proxy, which the listener has verified: one of its URIs (RFC 5280 4.2.1.6)
// says whether it is one of those that may ask.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/auth/auth_method.h"

namespace egret {

class CertificateMethod final : public AuthMethod {
 public:
  // What a URI has to begin with, byte for byte and in whole segments.
  explicit CertificateMethod(std::vector<std::string> uri_prefixes) : uri_prefixes_(std::move(uri_prefixes)) {}
  AuthBy by() const override { return AuthBy::kClientCertificate; }
  std::vector<std::string> Challenges(std::string_view /*realm*/) const override { return {}; }
  AuthVerdict AtOnce(const AuthQuestion& question) const override;
  Task<AuthVerdict> Check(const AuthQuestion& /*question*/) const override { co_return AuthVerdict{}; }

 private:
  std::vector<std::string> uri_prefixes_;
};

}  // namespace egret
