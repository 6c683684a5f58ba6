#include "source/tls/tls_alert.h"

#include <openssl/x509_vfy.h>

namespace egret {

TlsAlert AlertForVerdict(long verdict) {
  switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return TlsAlert::kCertificateExpired;
    case X509_V_ERR_CERT_REVOKED:
      return TlsAlert::kCertificateRevoked;
    case X509_V_ERR_INVALID_PURPOSE:
      return TlsAlert::kUnsupportedCertificate;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_CERT_UNTRUSTED:
      return TlsAlert::kUnknownCa;
    default:
      return TlsAlert::kBadCertificate;
  }
}

}  // namespace egret
