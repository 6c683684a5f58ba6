// What a PEM text holds, not looked into: to read the hundred and more roots of a system as certificates takes 40 ms.
#pragma once

#include <openssl/bio.h>

#include <string>
#include <vector>

namespace egret {

struct CertificateBlocks {
  std::vector<std::string> certificates;  // in DER
  bool whole = false;                     // false: a block is malformed or does not end, and it was read as far as that
};

// Other blocks are passed over.
CertificateBlocks ReadCertificateBlocks(BIO* pem);

}  // namespace egret
