// What a CA has to be before a leaf of it can please a client.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <optional>
#include <span>

#include "source/base/result.h"
#include "source/tls/certificates.h"

namespace egret {

// `chain`: the CA, then each one's issuer. The problem begins with "certificate: ".
std::optional<Problem> CheckAuthority(std::span<const X509Ptr> chain, int64_t now);

// The digest to sign with; null: a key of a kind that not every client takes. RSA from 2048 bits on, and EC on P-256,
// P-384 or P-521: what the Baseline Requirements allow (6.1.5); Ed25519 is known to too few clients.
const EVP_MD* DigestFor(const EVP_PKEY* key);

}  // namespace egret
