#include "source/tls/new_authority.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "source/base/check.h"
#include "source/base/ip.h"
#include "source/base/strings.h"
#include "source/tls/authority_checks.h"
#include "source/tls/certificate_parts.h"
#include "source/tls/leaf_names.h"

namespace egret {
namespace {

using SubtreePtr = std::unique_ptr<GENERAL_SUBTREE, FreeWith<GENERAL_SUBTREE_free>>;
using ConstraintsPtr = std::unique_ptr<NAME_CONSTRAINTS, FreeWith<NAME_CONSTRAINTS_free>>;

SubtreePtr Subtree(int kind, std::string_view bytes) {
  SubtreePtr out(GENERAL_SUBTREE_new());
  ASN1_STRING* const value = kind == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
  CHECK(out != nullptr && ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) == 1);
  GENERAL_NAME_set0_value(out->base, kind, value);
  return out;
}

// An address and its mask (RFC 5280 4.2.1.10), of `size` bytes each.
std::string BytesOf(const Cidr& range) {
  const size_t size = range.base.v4() ? 4 : 16;
  std::string out(reinterpret_cast<const char*>(range.base.bytes().data()) + 16 - size, size);
  for (size_t i = 0; i < size; ++i) {
    const int ones = std::clamp(int{range.bits} - static_cast<int>(8 * i), 0, 8);
    out += static_cast<char>(0xff << (8 - ones));
  }
  return out;
}

void Push(STACK_OF(GENERAL_SUBTREE) * *trees, SubtreePtr subtree) {
  if (*trees == nullptr) *trees = sk_GENERAL_SUBTREE_new_null();
  CHECK(sk_GENERAL_SUBTREE_push(*trees, subtree.release()) > 0);
}

// A kind of name of which nothing is said is not limited at all, so the other kind is shut out.
void ExcludeAll(NAME_CONSTRAINTS& out, bool names, bool addresses) {
  if (!names) Push(&out.excludedSubtrees, Subtree(GEN_DNS, ""));
  if (addresses) return;
  Push(&out.excludedSubtrees, Subtree(GEN_IPADD, std::string(8, '\0')));
  Push(&out.excludedSubtrees, Subtree(GEN_IPADD, std::string(32, '\0')));
}

Result<ExtensionPtr, Problem> Permitted(const std::vector<std::string>& permit) {
  const ConstraintsPtr constraints(NAME_CONSTRAINTS_new());
  bool names = false, addresses = false;
  for (const std::string& what : permit) {
    if (const std::optional<Cidr> range = Cidr::Parse(what)) {
      Push(&constraints->permittedSubtrees, Subtree(GEN_IPADD, BytesOf(*range)));
      addresses = true;
    } else if (what.find('*') == std::string::npos && IsLeafDnsName(what)) {
      Push(&constraints->permittedSubtrees, Subtree(GEN_DNS, ToLower(what)));
      names = true;
    } else {
      return Problem{Cat(what,
                         ": neither a domain such as example.com, which stands for all below it too, nor a range "
                         "such as 192.0.2.0/24")};
    }
  }
  ExcludeAll(*constraints, names, addresses);
  return ExtensionPtr(X509V3_EXT_i2d(NID_name_constraints, 1, constraints.get()));
}

void Add(X509* certificate, const ExtensionPtr& extension) {
  CHECK(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

}  // namespace

Result<NewAuthority, Problem> MakeAuthority(const NewAuthorityOptions& options, const NewAuthority* issuer,
                                            int64_t now) {
  NewAuthority out{X509Ptr(X509_new()), KeyPtr(EVP_EC_gen("P-256"))};
  X509* const ca = out.certificate.get();
  CHECK(ca != nullptr && out.key != nullptr && X509_set_version(ca, X509_VERSION_3) == 1);
  const NewAuthority& by = issuer != nullptr ? *issuer : out;
  SetSerial(ca);
  SetCommonName(ca, options.common_name);
  CHECK(X509_set_pubkey(ca, out.key.get()) == 1);
  CHECK(X509_set_issuer_name(ca, X509_get_subject_name(by.certificate.get())) == 1);
  int64_t begin = now - kBackdatedSeconds, end = now + options.lifetime_s;
  if (issuer != nullptr) {
    begin = std::max(begin, NotBefore(issuer->certificate.get()));
    end = std::min(end, NotAfter(issuer->certificate.get()));
  }
  SetLife(ca, begin, end);
  Add(ca, ConfiguredExtension(NID_basic_constraints, Cat("critical,CA:TRUE,pathlen:", options.path_length).c_str()));
  Add(ca, ConfiguredExtension(NID_key_usage, "critical,keyCertSign,cRLSign"));
  Add(ca, SubjectKeyId(ca));
  if (issuer != nullptr) Add(ca, AuthorityKeyId(issuer->certificate.get()));
  if (!options.permit.empty()) {
    Result<ExtensionPtr, Problem> permitted = Permitted(options.permit);
    if (!permitted) return permitted.error();
    Add(ca, *permitted);
  }
  if (X509_sign(ca, by.key.get(), DigestFor(by.key.get())) == 0) {
    ERR_clear_error();
    return Problem{"the issuer's key cannot sign"};
  }
  return out;
}

}  // namespace egret
