// Names out of an origin's certificate, and a leaf minted with them. The first byte says what follows it: a whole
// certificate (DER), or only what stands in its subjectAltName. Whatever it is, the leaf is good for the name that the
// client wanted, and its names are few and well-formed.
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "source/base/check.h"
#include "source/event/loop.h"
#include "source/tls/leaf_cache.h"
#include "source/tls/leaf_names.h"
#include "source/tls/new_authority.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

constexpr int64_t kNow = 1790000000;
constexpr char kTarget[] = "wanted.example.com";

std::shared_ptr<const CertificateAuthority> MadeAuthority() {
  const auto made =
      MakeAuthority({.common_name = "CA", .lifetime_s = 864000, .permit = {"example.com"}}, nullptr, kNow);
  AuthorityOptions options;
  options.certificate_pem = PemOf(made->certificate.get());
  options.key_pem = PemOf(made->key.get());
  return *CertificateAuthority::Make(options, kNow);
}

X509Ptr Read(const uint8_t* data, size_t size) {
  if (size == 0) return nullptr;
  const unsigned char* at = data + 1;
  if (data[0] == 'c') return X509Ptr(d2i_X509(nullptr, &at, static_cast<long>(size - 1)));
  X509Ptr out(X509_new());
  const std::unique_ptr<ASN1_OCTET_STRING, FreeWith<ASN1_OCTET_STRING_free>> value(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(value.get(), at, static_cast<int>(size - 1));
  const std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>> extension(
      X509_EXTENSION_create_by_NID(nullptr, NID_subject_alt_name, 0, value.get()));
  X509_add_ext(out.get(), extension.get(), -1);
  return out;
}

void CheckNames(const X509* origin) {
  const auto names = NamesForLeaf(kTarget, origin);
  CHECK(names.size() <= kMostLeafNames && names.front() == LeafName(kTarget));
  for (const LeafName& name : names)
    if (const auto* const dns = std::get_if<std::string>(&name)) CHECK(IsLeafDnsName(*dns));
}

}  // namespace
}  // namespace egret

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace egret;
  static const auto authority = MadeAuthority();
  static Loop loop;
  const X509Ptr origin = Read(data, size);
  if (origin == nullptr) {
    ERR_clear_error();
    return 0;
  }
  CheckNames(origin.get());
  const auto leaf =
      RunTask(loop, MintLeaf(authority, {NamesForLeaf(kTarget, origin.get()), NotAfter(origin.get())}, kNow));
  CHECK(leaf.ok());
  CHECK(X509_check_host((*leaf)->certificate.get(), kTarget, 0, 0, nullptr) == 1);
  CHECK(X509_verify((*leaf)->certificate.get(), X509_get0_pubkey(authority->certificate())) == 1);
  ERR_clear_error();
  return 0;
}
