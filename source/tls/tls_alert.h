// What TLS says when it ends for a reason.
#pragma once

#include <cstdint>

namespace egret {

// RFC 8446 6.2, RFC 7301 3.2: those that we say in a handshake's place.
enum class TlsAlert : uint8_t {
  kHandshakeFailure = 40,
  kBadCertificate = 42,
  kUnsupportedCertificate = 43,
  kCertificateRevoked = 44,
  kCertificateExpired = 45,
  kUnknownCa = 48,
  kAccessDenied = 49,
  kInternalError = 80,
  kNoApplicationProtocol = 120,
};

// What a peer that verifies would have said: of an X509_V_ERR_... that a certificate was refused with.
TlsAlert AlertForVerdict(long verdict);

}  // namespace egret
