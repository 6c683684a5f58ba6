#include "source/tls/authority_checks.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <string_view>

#include "source/base/strings.h"
#include "source/tls/peer_certificate.h"
#include "source/tls/ssl_context.h"

namespace egret {
namespace {

constexpr const char* kKeyKinds = "make it RSA with 2048 bits or more, or EC on P-256, P-384 or P-521";

bool MaySign(X509* certificate) { return (X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) != 0; }

// An extended key usage in a CA limits what its leaves may be for, though no RFC says so: browsers and OpenSSL agree.
bool MayIssueServers(X509* certificate) {
  return (X509_get_extended_key_usage(certificate) & (XKU_SSL_SERVER | XKU_ANYEKU)) != 0;
}

// `below`: how many CAs stand between it and a leaf.
const char* WhyNoCa(X509* certificate, size_t below, int64_t now) {
  const uint32_t flags = X509_get_extension_flags(certificate);
  if ((flags & EXFLAG_INVALID) != 0) return "an extension in it is malformed";
  if ((flags & EXFLAG_BCONS) == 0 || (flags & EXFLAG_CA) == 0)
    return "it is no CA: its basicConstraints do not say CA:TRUE";
  if (!MaySign(certificate)) return "it may not sign certificates: its keyUsage lacks keyCertSign";
  if (!MayIssueServers(certificate)) return "it may not issue for servers: its extendedKeyUsage lacks serverAuth";
  const long most = X509_get_pathlen(certificate);
  if (most >= 0 && static_cast<size_t>(most) < below) return "its path length does not allow the CAs below it";
  if (NotAfter(certificate) <= now) return "it has expired";
  if (NotBefore(certificate) > now) return "it is not valid yet";
  if (DigestFor(X509_get0_pubkey(certificate)) == nullptr) return kKeyKinds;
  return nullptr;
}

// Whether clients with today's rules would take its signature.
bool PassesLibrary(X509* certificate) {
  const SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  const bool passes = SSL_CTX_add1_chain_cert(context.get(), certificate) == 1;
  ERR_clear_error();
  return passes;
}

bool Issued(X509* issuer, X509* certificate) {
  const bool well =
      X509_check_issued(issuer, certificate) == X509_V_OK && X509_verify(certificate, X509_get0_pubkey(issuer)) == 1;
  ERR_clear_error();
  return well;
}

}  // namespace

const EVP_MD* DigestFor(const EVP_PKEY* key) {
  if (key == nullptr) return nullptr;
  if (EVP_PKEY_is_a(key, "RSA") == 1) return EVP_PKEY_get_bits(key) >= 2048 ? EVP_sha256() : nullptr;
  if (EVP_PKEY_is_a(key, "EC") != 1) return nullptr;
  std::array<char, 64> group{};
  size_t size = 0;
  EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), &size);
  const std::string_view name(group.data(), size);
  if (name == SN_X9_62_prime256v1) return EVP_sha256();
  if (name == SN_secp384r1) return EVP_sha384();
  return name == SN_secp521r1 ? EVP_sha512() : nullptr;
}

std::optional<Problem> CheckAuthority(std::span<const X509Ptr> chain, int64_t now) {
  for (size_t i = 0; i < chain.size(); ++i) {
    X509* const certificate = chain[i].get();
    const std::string which = Cat("certificate: ", FactsOfCertificate(certificate).subject, ": ");
    if (const char* const why = WhyNoCa(certificate, i, now)) return Problem{Cat(which, why)};
    const bool root = (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0;
    if (!root && !PassesLibrary(certificate))
      return Problem{Cat(which, "its key or signature is too weak; have it issued again with SHA-256")};
    if (i + 1 < chain.size() && !Issued(chain[i + 1].get(), certificate))
      return Problem{Cat(which, "the certificate after it is not its issuer; give the CA, then each one's issuer")};
  }
  return std::nullopt;
}

}  // namespace egret
