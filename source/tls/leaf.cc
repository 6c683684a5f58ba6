#include "source/tls/leaf.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/tls/certificate_parts.h"

namespace egret {
namespace {

// Of the parsed certificate in the library's memory, beside its names: measured.
constexpr size_t kBytesOfLeaf = 4096;
constexpr size_t kBytesOfName = 160;

// The CN says nothing to today's clients, but people look for it; it holds 64 characters (RFC 5280 A.1). An address
// there would be taken for a name by those who check name constraints.
bool HasSubject(const CertificateAuthority& authority, const LeafName& name) {
  constexpr size_t kMostOfCommonName = 64;
  const std::string* const dns = std::get_if<std::string>(&name);
  return dns != nullptr && dns->size() <= kMostOfCommonName && !authority.constraints().limit_subjects();
}

struct Life {
  int64_t begin, end;
};

Life LifeOf(const CertificateAuthority& authority, int64_t origin_end, int64_t now) {
  const int64_t begin = std::max(now - kBackdatedSeconds, authority.not_before());
  int64_t end = std::min({now + authority.leaf_lifetime_s(), begin + kMostLeafLife, authority.not_after()});
  // An origin that has expired is let through by config only, and then the client is not to stumble over it.
  if (origin_end > now) end = std::min(end, origin_end);
  return {begin, end};
}

// What the CA may speak for; the first name has to be among it.
Result<std::vector<LeafName>, Problem> Within(const CertificateAuthority& authority, std::vector<LeafName> names) {
  const NameConstraints& constraints = authority.constraints();
  if (constraints.empty()) return names;
  if (const std::optional<std::string> why = constraints.Refuse(names.front()))
    return Problem{Cat(TextOf(names.front()), " is outside of the CA's name constraints: ", *why)};
  std::erase_if(names, [&](const LeafName& name) { return constraints.Refuse(name).has_value(); });
  return names;
}

X509Ptr Draft(const CertificateAuthority& authority, const std::vector<LeafName>& names, Life life) {
  X509Ptr out(X509_new());
  CHECK(out != nullptr);
  X509* const leaf = out.get();
  CHECK(X509_set_version(leaf, X509_VERSION_3) == 1);
  SetSerial(leaf);
  CHECK(X509_set_issuer_name(leaf, X509_get_subject_name(authority.certificate())) == 1);
  SetLife(leaf, life.begin, life.end);
  const bool subject = HasSubject(authority, names.front());
  if (subject) SetCommonName(leaf, std::get<std::string>(names.front()));
  CHECK(X509_set_pubkey(leaf, authority.base()->key.get()) == 1);
  for (const ExtensionPtr& extension : authority.extensions()) CHECK(X509_add_ext(leaf, extension.get(), -1) == 1);
  PutAltNames(leaf, names, !subject);
  return out;
}

// What came from outside is believed no more than any other answer.
bool Fits(const CertificateAuthority& authority, X509* leaf) {
  const bool fits = leaf != nullptr && X509_verify(leaf, X509_get0_pubkey(authority.certificate())) == 1 &&
                    X509_check_private_key(leaf, authority.base()->key.get()) == 1;
  ERR_clear_error();
  return fits;
}

}  // namespace

Task<Result<LeafPtr, Problem>> MintLeaf(std::shared_ptr<const CertificateAuthority> authority, LeafRequest request,
                                        int64_t now) {
  CHECK(!request.names.empty());
  const Life life = LifeOf(*authority, request.origin_end, now);
  if (life.end <= now) co_return Problem{"the CA has expired"};
  Result<std::vector<LeafName>, Problem> names = Within(*authority, std::move(request.names));
  if (!names) co_return names.error();
  auto leaf = std::make_shared<Leaf>();
  leaf->base = authority->base();
  leaf->name = TextOf(names->front());
  leaf->renew_at = life.end - (life.end - now) / 10;
  leaf->bytes = kBytesOfLeaf + names->size() * kBytesOfName;
  Result<X509Ptr, Problem> signed_leaf = co_await authority->signer().Sign(Draft(*authority, *names, life));
  if (!signed_leaf) co_return signed_leaf.error();
  if (authority->signs_outside() && !Fits(*authority, signed_leaf->get()))
    co_return Problem{"what came back from the signer is not signed by the CA, or is another certificate"};
  leaf->certificate = std::move(*signed_leaf);
  co_return LeafPtr(std::move(leaf));
}

}  // namespace egret
