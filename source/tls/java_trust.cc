#include "source/tls/java_trust.h"

#include <openssl/asn1t.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/pkcs12.h>

#include <memory>
#include <string>
#include <string_view>

#include "source/tls/certificates.h"
#include "source/tls/pem_blocks.h"

namespace egret {
namespace {

void FreeBags(STACK_OF(PKCS12_SAFEBAG) * bags) { sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free); }
void FreeSafes(STACK_OF(PKCS7) * safes) { sk_PKCS7_pop_free(safes, PKCS7_free); }

using BagsPtr = std::unique_ptr<STACK_OF(PKCS12_SAFEBAG), FreeWith<FreeBags>>;
using SafesPtr = std::unique_ptr<STACK_OF(PKCS7), FreeWith<FreeSafes>>;
using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using AnyPtr = std::unique_ptr<ASN1_TYPE, FreeWith<ASN1_TYPE_free>>;
using Pkcs12Ptr = std::unique_ptr<PKCS12, FreeWith<PKCS12_free>>;

// By this attribute Java tells what is to be believed from what is only somebody's chain: trustedKeyUsage of its
// PKCS12KeyStore, here for any use.
constexpr char kTrustedKeyUsage[] = "2.16.840.1.113894.746875.1.1";

// A certificate as it stands.
bool Add(const BagsPtr& bags, std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const AnyPtr certificate(d2i_ASN1_TYPE(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate || ASN1_TYPE_get(certificate.get()) != V_ASN1_SEQUENCE) return false;
  PKCS12_SAFEBAG* const bag =
      PKCS12_item_pack_safebag(certificate.get(), ASN1_ITEM_rptr(ASN1_ANY), NID_x509Certificate, NID_certBag);
  if (bag == nullptr || sk_PKCS12_SAFEBAG_push(bags.get(), bag) == 0) return false;
  const auto* const any_use = reinterpret_cast<const unsigned char*>(OBJ_nid2obj(NID_anyExtendedKeyUsage));
  return PKCS12_add1_attr_by_txt(bag, kTrustedKeyUsage, V_ASN1_OBJECT, any_use, -1) == 1;
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
  const BioPtr reader(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const CertificateBlocks roots = ReadCertificateBlocks(reader.get());
  if (!roots.whole || roots.certificates.empty()) return Problem{"the root certificates cannot be read"};
  const BagsPtr bags(sk_PKCS12_SAFEBAG_new_null());
  for (const std::string& one : roots.certificates)
    if (!Add(bags, one)) return Problem{"a root certificate is malformed"};
  const Pkcs12Ptr store = Pack(bags.get());
  unsigned char* bytes = nullptr;
  const int size = store ? i2d_PKCS12(store.get(), &bytes) : -1;
  if (size < 0) return Problem{"no trust store for Java could be made"};
  std::string out(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

}  // namespace egret
