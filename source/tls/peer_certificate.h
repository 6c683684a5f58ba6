// What a certificate says of whom it belongs to, as plain values: printable ASCII only, whatever the certificate holds.
// Whether it is to be believed is judged elsewhere.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <string_view>
#include <vector>

namespace egret {

struct CertificateFacts {
  std::string subject;                 // RFC 2253, escaped: "CN=ci,O=Example"
  std::string spiffe_id;               // empty: it is no X.509-SVID
  std::vector<std::string> dns_names;  // as they stand there; names with other than printable ASCII are left out
  std::vector<std::string> uris;       // the same
  std::string sha256;                  // of the whole certificate, 64 hex digits in lower case
};

CertificateFacts FactsOfCertificate(X509* certificate);

// Whether it is a SPIFFE ID of a workload (SPIFFE-ID 2): "spiffe://trust-domain/path", nothing that could be read in
// two ways.
bool IsSpiffeId(std::string_view uri);

}  // namespace egret
