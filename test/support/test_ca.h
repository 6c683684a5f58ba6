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
};

class TestCa {
 public:
  explicit TestCa(const std::string& name = "test CA", const TestCa* issuer = nullptr);

  // Signed by this CA; the chain holds the leaf and, where it has an issuer, this CA.
  TlsKeyPair Issue(const TestLeaf& leaf) const;
  std::string pem() const;
  // A list that revokes these certificates (PEM; the first of each).
  std::string Revoke(const std::vector<std::string>& certificates) const;
  TlsTrust trust() const { return {.roots_pem = pem(), .system_roots = false, .crl_pem = {}}; }

 private:
  X509Ptr certificate_;
  KeyPtr key_;
  bool intermediate_;
};

}  // namespace egret
