// Parts of certificates that we make, CAs and leaves alike.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <memory>

#include "source/tls/certificates.h"

namespace egret {

using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

// A certificate's clock may be behind that of who made it.
constexpr int64_t kBackdatedSeconds = 3600;

// 127 random bits: nobody can foresee it (CA/Browser Forum, Baseline Requirements 7.1, asks for 64), it is positive,
// and every one is of the same length.
void SetSerial(X509* certificate);

// Seconds since 1970.
void SetLife(X509* certificate, int64_t begin, int64_t end);

// `name`: at most 64 characters (RFC 5280 A.1).
void SetCommonName(X509* certificate, std::string_view name);

// As the library's configuration writes it: "critical,CA:FALSE".
ExtensionPtr ConfiguredExtension(int kind, const char* value);
ExtensionPtr SubjectKeyId(X509* bearer);
// The identifier that the issuer bears, whatever it was made from: clients find the issuer by it.
ExtensionPtr AuthorityKeyId(X509* issuer);

}  // namespace egret
