#include "source/auth/certificate_method.h"

#include <algorithm>

namespace egret {
namespace {

// "spiffe://prod" is no beginning of "spiffe://production/x".
bool BeginsWith(std::string_view uri, std::string_view prefix) {
  if (!uri.starts_with(prefix)) return false;
  return uri.size() == prefix.size() || prefix.ends_with('/') || uri[prefix.size()] == '/';
}

// Of several URIs none is a SPIFFE ID (X509-SVID 2): the terminator has found out which is.
bool Has(const Identity& certificate, std::string_view prefix) {
  if (prefix.starts_with("spiffe://")) return BeginsWith(certificate.spiffe_id, prefix);
  const auto begins = [&](const std::string& uri) { return BeginsWith(uri, prefix); };
  return std::any_of(certificate.claims.begin(), certificate.claims.end(), [&](const Identity::Claim& claim) {
    return claim.name == "x509.uri" && std::any_of(claim.values.begin(), claim.values.end(), begins);
  });
}

}  // namespace

AuthVerdict CertificateMethod::AtOnce(const AuthQuestion& question) const {
  const auto& certificate = question.certificate;
  if (certificate == nullptr || certificate->assurance != Assurance::kCertificate) return {};
  const bool known = std::any_of(uri_prefixes_.begin(), uri_prefixes_.end(),
                                 [&](const std::string& prefix) { return Has(*certificate, prefix); });
  if (!known) return {};
  return {AuthVerdict::Kind::kAccepted, certificate};
}

}  // namespace egret
