#include "source/tls/certificate_parts.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <string_view>

#include "source/base/check.h"

namespace egret {
namespace {

using KeyIdPtr = std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>>;

// As most CAs make it (RFC 5280 4.2.1.2, method 1).
KeyIdPtr KeyIdOf(X509* bearer) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  CHECK(X509_pubkey_digest(bearer, EVP_sha1(), digest.data(), &size) == 1);
  KeyIdPtr id(ASN1_OCTET_STRING_new());
  CHECK(ASN1_OCTET_STRING_set(id.get(), digest.data(), static_cast<int>(size)) == 1);
  return id;
}

ExtensionPtr Encoded(int kind, void* value) {
  ExtensionPtr out(X509V3_EXT_i2d(kind, 0, value));
  CHECK(out != nullptr);
  return out;
}

}  // namespace

void SetSerial(X509* certificate) {
  std::array<unsigned char, 16> bytes;
  CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  bytes[0] = static_cast<unsigned char>((bytes[0] & 0x3f) | 0x40);
  const std::unique_ptr<BIGNUM, FreeWith<BN_free>> number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
  CHECK(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

void SetLife(X509* certificate, int64_t begin, int64_t end) {
  CHECK(ASN1_TIME_set(X509_getm_notBefore(certificate), begin) != nullptr);
  CHECK(ASN1_TIME_set(X509_getm_notAfter(certificate), end) != nullptr);
}

void SetCommonName(X509* certificate, std::string_view name) {
  const auto* const text = reinterpret_cast<const unsigned char*>(name.data());
  CHECK(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_UTF8, text,
                                   static_cast<int>(name.size()), -1, 0) == 1);
}

ExtensionPtr ConfiguredExtension(int kind, const char* value) {
  ExtensionPtr out(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value));
  CHECK(out != nullptr);
  return out;
}

ExtensionPtr SubjectKeyId(X509* bearer) { return Encoded(NID_subject_key_identifier, KeyIdOf(bearer).get()); }

ExtensionPtr AuthorityKeyId(X509* issuer) {
  const std::unique_ptr<AUTHORITY_KEYID, FreeWith<AUTHORITY_KEYID_free>> id(AUTHORITY_KEYID_new());
  const ASN1_OCTET_STRING* const own = X509_get0_subject_key_id(issuer);
  id->keyid = own != nullptr ? ASN1_OCTET_STRING_dup(own) : KeyIdOf(issuer).release();
  return Encoded(NID_authority_key_identifier, id.get());
}

}  // namespace egret
