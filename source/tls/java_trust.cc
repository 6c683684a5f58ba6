#include "source/tls/java_trust.h"

#include <openssl/objects.h>
#include <openssl/pkcs12.h>

#include <memory>

#include "source/tls/certificates.h"

namespace egret {
namespace {

void FreeBags(STACK_OF(PKCS12_SAFEBAG) * bags) { sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free); }
void FreeSafes(STACK_OF(PKCS7) * safes) { sk_PKCS7_pop_free(safes, PKCS7_free); }

using BagsPtr = std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), FreeWith<FreeBags>>;
using SafesPtr = std::unique_ptr<STACK_OF(PKCS7), FreeWith<FreeSafes>>;
using Pkcs12Ptr = std::unique_ptr<PKCS12, FreeWith<PKCS12_free>>;

// By this attribute Java tells what is to be believed from what is only somebody's chain: trustedKeyUsage of its
// PKCS12KeyStore, here for any use.
constexpr char kTrustedKeyUsage[] = "2.16.840.1.113894.746875.1.1";

bool Add(BagsPtr& bags, X509* certificate) {
  STACK_OF(PKCS12_SAFEBAG)* all = bags.release();
  PKCS12_SAFEBAG* const bag = PKCS12_add_cert(&all, certificate);
  bags.reset(all);
  const auto* const any_use = reinterpret_cast<const unsigned char*>(OBJ_nid2obj(NID_anyExtendedKeyUsage));
  return bag != nullptr && PKCS12_add1_attr_by_txt(bag, kTrustedKeyUsage, V_ASN1_OBJECT, any_use, -1) == 1;
}

// In clear, as the one thing in it.
Pkcs12Ptr Pack(STACK_OF(PKCS12_SAFEBAG) * bags) {
  STACK_OF(PKCS7)* all = nullptr;
  const bool packed = PKCS12_add_safe(&all, bags, -1, 0, nullptr) == 1;
  const SafesPtr safes(all);
  return Pkcs12Ptr(packed ? PKCS12_add_safes(safes.get(), 0) : nullptr);
}

}  // namespace

Result<std::string, Problem> JavaTrustOf(std::string_view pem) {
  const auto certificates = ParseCertificates(pem);
  if (!certificates) return certificates.error();
  BagsPtr bags;
  for (const X509Ptr& one : *certificates)
    if (!Add(bags, one.get())) return Problem{"a certificate has no place in a trust store"};
  const Pkcs12Ptr store = Pack(bags.get());
  unsigned char* bytes = nullptr;
  const int size = store ? i2d_PKCS12(store.get(), &bytes) : -1;
  if (size < 0) return Problem{"no trust store for Java could be made"};
  std::string out(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

}  // namespace egret
