#include "source/tls/java_trust.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <time.h>

#include <memory>
#include <string>

#include "source/tls/certificates.h"
#include "source/tls/new_authority.h"

namespace egret {
namespace {

using StoreOfJava = std::unique_ptr<PKCS12, FreeWith<PKCS12_free>>;

std::string NewRoot(const char* name) {
  const auto made = MakeAuthority({.common_name = name, .lifetime_s = 86400}, nullptr, time(nullptr));
  return PemOf(made->certificate.get());
}

// The names in a store, a line each, without a password; "!" before one that Java would not believe.
std::string NamesIn(const std::string& bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const StoreOfJava store(d2i_PKCS12(nullptr, &at, static_cast<long>(bytes.size())));
  if (!store || PKCS12_mac_present(store.get()) != 0) return "none, or with a password";
  std::string out;
  STACK_OF(PKCS7)* const safes = PKCS12_unpack_authsafes(store.get());
  STACK_OF(PKCS12_SAFEBAG)* const bags = PKCS12_unpack_p7data(sk_PKCS7_value(safes, 0));
  for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); ++i) {
    const PKCS12_SAFEBAG* const bag = sk_PKCS12_SAFEBAG_value(bags, i);
    const X509Ptr certificate(PKCS12_SAFEBAG_get1_cert(bag));
    char name[64] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
    const bool trusted = sk_X509_ATTRIBUTE_num(PKCS12_SAFEBAG_get0_attrs(bag)) == 1;
    out += (trusted ? "" : "!") + std::string(name) + "\n";
  }
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
  sk_PKCS7_pop_free(safes, PKCS7_free);
  return out;
}

TEST(JavaTrust, HasEachCertificateAsOneThatIsBelieved) {
  const auto store = JavaTrustOf("text between\n" + NewRoot("one") + "\n" + NewRoot("two"));
  ASSERT_TRUE(store);
  EXPECT_EQ(NamesIn(*store), "one\ntwo\n");
}

// As PEM of OpenSSL's own kind, which says besides what the root is trusted for.
std::string WithTrust(const std::string& pem) {
  const auto certificates = ParseCertificates(pem);
  const std::unique_ptr<BIO, FreeWith<BIO_free>> out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_AUX(out.get(), certificates->front().get());
  const char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<size_t>(size));
}

TEST(JavaTrust, TakesRootsThatSayWhatTheyAreTrustedFor) {
  const std::string pem = WithTrust(NewRoot("one"));
  ASSERT_NE(pem.find("BEGIN TRUSTED CERTIFICATE"), std::string::npos);
  const auto store = JavaTrustOf(pem);
  ASSERT_TRUE(store);
  EXPECT_EQ(NamesIn(*store), "one\n");
}

TEST(JavaTrust, OfNothingOrOfWhatIsNoneIsAProblem) {
  EXPECT_FALSE(JavaTrustOf("no certificate"));
  EXPECT_FALSE(JavaTrustOf("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  EXPECT_FALSE(JavaTrustOf(NewRoot("one") + "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"));
}

}  // namespace
}  // namespace egret
