// A certificate authority that mints leaves for intercepted tunnels: its certificate and chain, checked, and what all
// its leaves have in common. Immutable and shared by all threads. A CA that takes its place is another generation: a
// leaf keeps what it needs of the one that it came from, but not its key.
#pragma once

#include <openssl/x509.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/tls/certificate_parts.h"
#include "source/tls/certificates.h"
#include "source/tls/leaf_signer.h"
#include "source/tls/name_constraints.h"

namespace egret {

struct FreeX509Stack {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using X509StackPtr = std::unique_ptr<STACK_OF(X509), FreeX509Stack>;

struct AuthorityOptions {
  std::string name = {};             // for metrics
  std::string certificate_pem = {};  // the CA, then whoever issued it, and so on; the root may be the last
  std::string key_pem = {};          // of the CA
  std::string also_trust_pem = {};   // certificates that clients are to believe besides; may be empty
  int64_t leaf_lifetime_s = int64_t{168} * 3600;
  std::shared_ptr<const LeafSigner> signer = {};  // signs in the place of `key_pem`
};

// What all leaves of one CA share, and a handshake needs.
struct LeafBase {
  KeyPtr key;                                 // the leaves', P-256: of this process and this CA alone
  X509StackPtr chain;                         // what is sent behind a leaf: the CA and its intermediates, never a root
  std::array<unsigned char, 32> ca_sha256{};  // which CA it is
};

class CertificateAuthority {
 public:
  // `now`: seconds since 1970. The problem begins with the field that is at fault: "key: ...".
  static Result<std::shared_ptr<const CertificateAuthority>, Problem> Make(const AuthorityOptions& options,
                                                                           int64_t now);
  // One that nobody has a reason to believe, made on the spot: its leaves let a client's own check fail, as it would
  // have failed with the origin's.
  static std::shared_ptr<const CertificateAuthority> MakeUntrusted(int64_t now);

  // Unlike that of any other CA that was made in this process.
  uint64_t generation() const { return generation_; }
  const std::string& name() const { return name_; }
  std::string fingerprint() const;  // SHA-256 of its certificate, 64 hex digits in lower case
  X509* certificate() const { return certificate_.get(); }
  int64_t not_after() const { return not_after_; }  // the earliest end in its chain
  std::vector<TlsExpiry> expiries() const { return {{name_, not_after_, fingerprint()}}; }
  // What clients have to believe, as PEM: the topmost certificate given, then those of `also_trust_pem`.
  const std::string& trust_pem() const { return trust_pem_; }

  // For leaf.cc.
  int64_t not_before() const { return not_before_; }
  int64_t leaf_lifetime_s() const { return leaf_lifetime_s_; }
  const NameConstraints& constraints() const { return constraints_; }
  const LeafSigner& signer() const { return *signer_; }
  bool signs_outside() const { return outside_; }
  const std::shared_ptr<const LeafBase>& base() const { return base_; }
  // Those that are the same in every leaf.
  const std::vector<ExtensionPtr>& extensions() const { return extensions_; }

 private:
  CertificateAuthority() = default;

  uint64_t generation_ = 0;
  std::string name_;
  X509Ptr certificate_;
  std::string trust_pem_;
  int64_t not_before_ = 0, not_after_ = 0;
  int64_t leaf_lifetime_s_ = 0;
  NameConstraints constraints_;
  std::shared_ptr<const LeafSigner> signer_;
  bool outside_ = false;
  std::shared_ptr<const LeafBase> base_;
  std::vector<ExtensionPtr> extensions_;
};

}  // namespace egret
