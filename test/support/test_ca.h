// A certificate authority for tests: keys and certificates made in memory, P-256 unless asked otherwise.
#pragma once

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "source/tls/certificates.h"

namespace egret {

struct TestLeaf {
  std::string common_name = "leaf";
  std::vector<std::string> alt_names = {};  // "DNS:a.test", "IP:127.0.0.1", "URI:spiffe://test/ci"
  long not_before = -3600;                  // seconds from now
  long not_after = 86400;
  bool is_ca = false;
  bool must_staple = false;
  bool signs_ocsp = false;  // for its issuer
};

struct TestAnswer {
  std::string certificate_pem = {};  // the first of it
  enum Status : int { kGood = 0, kRevoked = 1, kUnknown = 2 } status = kGood;
  long since = -60;     // seconds from now
  long until = 3600;    // 0: it does not say
  bool sha256 = false;  // in the certificate's id, instead of SHA-1
};

class TestCa {
 public:
  explicit TestCa(const std::string& name = "test CA", const TestCa* issuer = nullptr);

  // Signed by this CA; the chain holds the leaf and, where it has an issuer, this CA.
  TlsKeyPair Issue(const TestLeaf& leaf) const;
  std::string pem() const;
  // A list that revokes these certificates (PEM; the first of each).
  std::string Revoke(const std::vector<std::string>& certificates) const;
  // An OCSP response (DER) on this CA's word, or on that of `responder`.
  std::string Answer(const TestAnswer& answer, const TlsKeyPair* responder = nullptr) const;
  TlsTrust trust() const { return {.roots_pem = pem(), .system_roots = false, .crl_pem = {}}; }

 private:
  X509Ptr certificate_;
  KeyPtr key_;
  bool intermediate_;
};

}  // namespace egret
