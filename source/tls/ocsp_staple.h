// Whether a server's certificate was revoked, as the server itself proves in its handshake: the OCSP response (RFC
// 6960) that it staples (RFC 6066 8). No responder is ever asked: that would tell a third party where clients go, and
// make every handshake wait for one. Stateless; any thread.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <string_view>

#include "source/tls/tls_facts.h"

namespace egret {

inline constexpr size_t kMostStaple = 16384;     // bytes; TLS 1.2 carries no larger ones
inline constexpr long kStapleSkewSeconds = 300;  // by which the responder's clock may be another

// Clients of `context`, which verifies, ask for a staple. One that says that the certificate is revoked fails the
// handshake; so does any but a good one where `required`, or where the certificate demands one (RFC 7633).
void AskForStaples(SSL_CTX* context, bool required);

// What came of it; lives for ever. In a resumed session nothing is asked: it goes on from a handshake that was.
const StapleVerdict& StapleOf(const SSL* ssl);

// Of a response (DER) to a certificate that was verified: `chain` begins with it, its issuer is next.
const StapleVerdict& JudgeStaple(std::string_view response, STACK_OF(X509) * chain, X509_STORE* store);

// Whether the certificate has the TLS feature extension (RFC 7633) with status_request, or one that cannot be read.
bool DemandsStaple(const X509* certificate);

}  // namespace egret
