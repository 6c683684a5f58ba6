#include "source/tls/peer_certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "source/base/hex.h"
#include "source/tls/certificates.h"

namespace egret {
namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;

// A name with a NUL or a control character in it is a trap for whoever compares it (CVE-2009-2408 and its kin).
bool Printable(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string_view TextOf(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string SubjectOf(X509* certificate) {
  const std::unique_ptr<BIO, FreeWith<BIO_free>> out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  const char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

using Digest = std::array<unsigned char, EVP_MAX_MD_SIZE>;

std::string Sha256Of(X509* certificate) {
  Digest digest;
  unsigned size = 0;
  return X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1 ? ToHex(std::span(digest.data(), size)) : "";
}

bool TrustDomainCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool PathCharacter(char c) { return TrustDomainCharacter(c) || (c >= 'A' && c <= 'Z'); }

bool IsSegment(std::string_view segment) {
  return !segment.empty() && segment != "." && segment != ".." &&
         std::all_of(segment.begin(), segment.end(), PathCharacter);
}

}  // namespace

bool IsSpiffeId(std::string_view uri) {
  constexpr std::string_view kScheme = "spiffe://";
  if (!uri.starts_with(kScheme) || uri.size() > 2048) return false;
  uri.remove_prefix(kScheme.size());
  const size_t slash = uri.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash > 255) return false;
  const std::string_view domain = uri.substr(0, slash);
  if (!std::all_of(domain.begin(), domain.end(), TrustDomainCharacter)) return false;
  for (std::string_view rest = uri.substr(slash + 1);;) {
    const size_t end = rest.find('/');
    if (!IsSegment(rest.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    rest.remove_prefix(end + 1);
  }
}

std::string KeySha256Of(X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return "";
  Digest digest;
  unsigned size = 0;
  const bool done = EVP_Digest(der, static_cast<size_t>(length), digest.data(), &size, EVP_sha256(), nullptr) == 1;
  OPENSSL_free(der);
  return done ? ToHex(std::span(digest.data(), size)) : "";
}

CertificateFacts FactsOfCertificate(X509* certificate) {
  CertificateFacts facts;
  facts.subject = SubjectOf(certificate);
  facts.sha256 = Sha256Of(certificate);
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  size_t uris = 0;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_URI) continue;
    uris += name->type == GEN_URI ? 1 : 0;
    const std::string_view text = TextOf(name->d.ia5);
    if (Printable(text)) (name->type == GEN_DNS ? facts.dns_names : facts.uris).emplace_back(text);
  }
  // An X.509-SVID has one URI; with two nobody could say who it is (X509-SVID 2).
  if (uris == 1 && facts.uris.size() == 1 && IsSpiffeId(facts.uris.front())) facts.spiffe_id = facts.uris.front();
  return facts;
}

}  // namespace egret
