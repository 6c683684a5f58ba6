// What a certificate says of whom it belongs to. Whether it is to be believed is judged elsewhere.
#pragma once

#include <openssl/types.h>

#include <string>
#include <string_view>

#include "source/tls/tls_facts.h"

namespace egret {

CertificateFacts FactsOfCertificate(X509* certificate);

// SHA-256 of its public key (SubjectPublicKeyInfo, as pins are made: RFC 7469 2.4), 64 hex digits in lower case. It
// stays the same where a certificate is renewed with the same key.
std::string KeySha256Of(X509* certificate);

// Whether it is a SPIFFE ID of a workload (SPIFFE-ID 2): "spiffe://trust-domain/path", nothing that could be read in
// two ways.
bool IsSpiffeId(std::string_view uri);

}  // namespace egret
