#include "source/tls/authority.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/tls/authority_checks.h"
#include "source/tls/leaf.h"
#include "source/tls/leaf_key.h"
#include "source/tls/new_authority.h"
#include "source/tls/peer_certificate.h"
#include "source/tls/ssl_context.h"

namespace egret {
namespace {

class KeySigner final : public LeafSigner {
 public:
  KeySigner(KeyPtr key, const EVP_MD* digest) : key_(std::move(key)), digest_(digest) {}

  Task<Result<X509Ptr, Problem>> Sign(X509Ptr leaf) const override {
    if (X509_sign(leaf.get(), key_.get(), digest_) == 0) co_return LibraryProblem("the CA's key cannot sign");
    co_return leaf;
  }

 private:
  KeyPtr key_;
  const EVP_MD* digest_;
};

std::vector<ExtensionPtr> ExtensionsOf(X509* ca, EVP_PKEY* leaf_key) {
  const X509Ptr bearer(X509_new());
  CHECK(X509_set_pubkey(bearer.get(), leaf_key) == 1);
  std::vector<ExtensionPtr> out;
  out.push_back(ConfiguredExtension(NID_basic_constraints, "critical,CA:FALSE"));
  out.push_back(ConfiguredExtension(NID_key_usage, "critical,digitalSignature"));
  out.push_back(ConfiguredExtension(NID_ext_key_usage, "serverAuth"));
  out.push_back(SubjectKeyId(bearer.get()));
  out.push_back(AuthorityKeyId(ca));
  return out;
}

// A root is believed because a client has it, not because it was sent (RFC 8446 4.4.2).
X509StackPtr SentChain(std::span<const X509Ptr> chain) {
  X509StackPtr out(sk_X509_new_null());
  for (const X509Ptr& certificate : chain) {
    if ((X509_get_extension_flags(certificate.get()) & EXFLAG_SS) != 0) continue;
    X509_up_ref(certificate.get());
    CHECK(sk_X509_push(out.get(), certificate.get()) > 0);
  }
  return out;
}

std::shared_ptr<const LeafBase> MakeBase(std::span<const X509Ptr> chain) {
  auto base = std::make_shared<LeafBase>();
  base->key = MakeLeafKey();
  base->chain = SentChain(chain);
  CHECK(X509_digest(chain.front().get(), EVP_sha256(), base->ca_sha256.data(), nullptr) == 1);
  return base;
}

Result<std::shared_ptr<const LeafSigner>, Problem> SignerOf(const AuthorityOptions& options, X509* ca) {
  if (options.signer != nullptr) return options.signer;
  Result<KeyPtr, Problem> key = ParseKey(options.key_pem);
  if (!key) return Problem{Cat("key: ", key.error().text)};
  if (X509_check_private_key(ca, key->get()) != 1) {
    ERR_clear_error();
    return Problem{"key: it is not the key of this certificate; the CA's own has to come first"};
  }
  return std::shared_ptr<const LeafSigner>(
      std::make_shared<KeySigner>(std::move(*key), DigestFor(X509_get0_pubkey(ca))));
}

uint64_t NextGeneration() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

// The certificate that leads, over those given, to what clients have to believe.
Result<std::string, Problem> TrustPem(X509* topmost, const std::string& also_trust_pem) {
  std::string out = PemOf(topmost);
  if (also_trust_pem.empty()) return out;
  Result<std::vector<X509Ptr>, Problem> also = ParseCertificates(also_trust_pem);
  if (!also) return Problem{Cat("also_trust: ", also.error().text)};
  for (const X509Ptr& certificate : *also) out += PemOf(certificate.get());
  return out;
}

}  // namespace

Result<std::shared_ptr<const CertificateAuthority>, Problem> CertificateAuthority::Make(const AuthorityOptions& options,
                                                                                        int64_t now) {
  Result<std::vector<X509Ptr>, Problem> chain = ParseCertificates(options.certificate_pem);
  if (!chain) return Problem{Cat("certificate: ", chain.error().text)};
  if (std::optional<Problem> problem = CheckAuthority(*chain, now)) return *problem;
  X509* const ca = chain->front().get();
  std::shared_ptr<CertificateAuthority> out(new CertificateAuthority);
  Result<std::shared_ptr<const LeafSigner>, Problem> signer = SignerOf(options, ca);
  if (!signer) return signer.error();
  out->signer_ = std::move(*signer);
  out->outside_ = options.signer != nullptr;
  Result<std::string, Problem> trust = TrustPem(chain->back().get(), options.also_trust_pem);
  if (!trust) return trust.error();
  out->trust_pem_ = std::move(*trust);
  out->not_before_ = NotBefore(ca);
  out->not_after_ = NotAfter(ca);
  for (const X509Ptr& certificate : *chain) {
    out->not_before_ = std::max(out->not_before_, NotBefore(certificate.get()));
    out->not_after_ = std::min(out->not_after_, NotAfter(certificate.get()));
    if (!out->constraints_.AddOf(certificate.get())) return Problem{"certificate: its nameConstraints are malformed"};
  }
  out->generation_ = NextGeneration();
  out->name_ = options.name;
  out->leaf_lifetime_s_ = options.leaf_lifetime_s;
  out->base_ = MakeBase(*chain);
  out->extensions_ = ExtensionsOf(ca, out->base_->key.get());
  out->certificate_ = std::move(chain->front());
  return std::shared_ptr<const CertificateAuthority>(std::move(out));
}

std::shared_ptr<const CertificateAuthority> CertificateAuthority::MakeUntrusted(int64_t now) {
  constexpr int64_t kYear = int64_t{365} * 86400;
  const Result<NewAuthority, Problem> made = MakeAuthority(
      {.common_name = "Not a trusted origin (egret)", .lifetime_s = kYear, .path_length = 0}, nullptr, now);
  CHECK(made.ok());
  AuthorityOptions options;
  options.name = "untrusted";
  options.certificate_pem = PemOf(made->certificate.get());
  options.key_pem = PemOf(made->key.get());
  options.leaf_lifetime_s = kLeastLeafLifetime;
  Result<std::shared_ptr<const CertificateAuthority>, Problem> out = Make(options, now);
  CHECK(out.ok());
  return *out;
}

std::string CertificateAuthority::fingerprint() const { return FactsOfCertificate(certificate_.get()).sha256; }

}  // namespace egret
