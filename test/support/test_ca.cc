#include "test/support/test_ca.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <utility>

#include "source/base/check.h"

namespace egret {
namespace {

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;

std::string TextOf(const BioPtr& bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

void Extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  CHECK(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

X509Ptr Make(const TestLeaf& leaf, EVP_PKEY* key, X509* issuer, EVP_PKEY* signer) {
  X509Ptr certificate(X509_new());
  X509* const raw = certificate.get();
  X509_set_version(raw, 2);
  unsigned char serial[8];
  CHECK(RAND_bytes(serial, sizeof serial) == 1);
  serial[0] &= 0x7f;
  BIGNUM* const number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(raw));
  BN_free(number);
  X509_gmtime_adj(X509_getm_notBefore(raw), leaf.not_before);
  X509_gmtime_adj(X509_getm_notAfter(raw), leaf.not_after);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(leaf.common_name.c_str()), -1, -1, 0);
  X509* const by = issuer != nullptr ? issuer : raw;
  X509_set_issuer_name(raw, X509_get_subject_name(by));
  X509_set_pubkey(raw, key);
  Extend(raw, by, NID_basic_constraints, leaf.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  Extend(raw, by, NID_subject_key_identifier, "hash");
  if (leaf.is_ca) Extend(raw, by, NID_key_usage, "critical,keyCertSign,cRLSign");
  if (!leaf.is_ca) Extend(raw, by, NID_ext_key_usage, leaf.signs_ocsp ? "OCSPSigning" : "serverAuth,clientAuth");
  if (leaf.must_staple) Extend(raw, by, NID_tlsfeature, "status_request");
  std::string names;
  for (const std::string& name : leaf.alt_names) names += (names.empty() ? "" : ",") + name;
  if (!names.empty()) Extend(raw, by, NID_subject_alt_name, names);
  CHECK(X509_sign(raw, signer, EVP_sha256()) > 0);
  return certificate;
}

}  // namespace

TestCa::TestCa(const std::string& name, const TestCa* issuer)
    : key_(EVP_EC_gen("P-256")), intermediate_(issuer != nullptr) {
  TestLeaf leaf;
  leaf.common_name = name;
  leaf.is_ca = true;
  certificate_ = Make(leaf, key_.get(), intermediate_ ? issuer->certificate_.get() : nullptr,
                      intermediate_ ? issuer->key_.get() : key_.get());
}

TlsKeyPair TestCa::Issue(const TestLeaf& leaf) const {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate = Make(leaf, key.get(), certificate_.get(), key_.get());
  return {leaf.common_name, PemOf(certificate.get()) + (intermediate_ ? pem() : ""), PemOf(key.get())};
}

std::string TestCa::pem() const { return PemOf(certificate_.get()); }

std::string TestCa::Revoke(const std::vector<std::string>& certificates) const {
  const std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>> list(X509_CRL_new());
  X509_CRL_set_version(list.get(), 1);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
  const std::unique_ptr<ASN1_TIME, FreeWith<ASN1_STRING_free>> now(X509_gmtime_adj(nullptr, -60));
  const std::unique_ptr<ASN1_TIME, FreeWith<ASN1_STRING_free>> next(X509_gmtime_adj(nullptr, 86400));
  X509_CRL_set1_lastUpdate(list.get(), now.get());
  X509_CRL_set1_nextUpdate(list.get(), next.get());
  for (const std::string& pem : certificates) {
    const auto parsed = ParseCertificates(pem);
    CHECK(parsed.ok());
    X509_REVOKED* const revoked = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(revoked, X509_get_serialNumber(parsed->front().get()));
    X509_REVOKED_set_revocationDate(revoked, now.get());
    X509_CRL_add0_revoked(list.get(), revoked);
  }
  CHECK(X509_CRL_sign(list.get(), key_.get(), EVP_sha256()) > 0);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  CHECK(PEM_write_bio_X509_CRL(bio.get(), list.get()) == 1);
  return TextOf(bio);
}

std::string TestCa::Answer(const TestAnswer& answer, const TlsKeyPair* responder) const {
  using TimePtr = std::unique_ptr<ASN1_TIME, FreeWith<ASN1_STRING_free>>;
  const auto parsed = ParseCertificates(answer.certificate_pem);
  CHECK(parsed.ok());
  const std::unique_ptr<OCSP_BASICRESP, FreeWith<OCSP_BASICRESP_free>> basic(OCSP_BASICRESP_new());
  const std::unique_ptr<OCSP_CERTID, FreeWith<OCSP_CERTID_free>> id(
      OCSP_cert_to_id(answer.sha256 ? EVP_sha256() : EVP_sha1(), parsed->front().get(), certificate_.get()));
  const TimePtr since(X509_gmtime_adj(nullptr, answer.since));
  const TimePtr until(answer.until != 0 ? X509_gmtime_adj(nullptr, answer.until) : nullptr);
  const TimePtr revoked(answer.status == TestAnswer::kRevoked ? X509_gmtime_adj(nullptr, -7200) : nullptr);
  CHECK(OCSP_basic_add1_status(basic.get(), id.get(), answer.status, 0, revoked.get(), since.get(), until.get()) !=
        nullptr);
  if (responder != nullptr) {
    const auto signer = ParseCertificates(responder->certificate_pem);
    const auto key = ParseKey(responder->key_pem);
    CHECK(OCSP_basic_sign(basic.get(), signer->front().get(), key->get(), EVP_sha256(), nullptr, 0) == 1);
  } else {
    CHECK(OCSP_basic_sign(basic.get(), certificate_.get(), key_.get(), EVP_sha256(), nullptr, OCSP_NOCERTS) == 1);
  }
  const std::unique_ptr<OCSP_RESPONSE, FreeWith<OCSP_RESPONSE_free>> response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  unsigned char* der = nullptr;
  const int size = i2d_OCSP_RESPONSE(response.get(), &der);
  CHECK(size > 0);
  std::string out(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return out;
}

}  // namespace egret
