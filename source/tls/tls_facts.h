// What TLS has brought to light of a connection and of whoever is at its other end, as plain values: printable ASCII
// only, whatever the peer sent.
#pragma once

#include <cstdint>
#include <optional>
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

struct TlsFacts {
  std::string_view version;  // "TLSv1.3"; like `cipher`, of the library's own tables
  std::string_view cipher;   // "TLS_AES_128_GCM_SHA256"
  std::string sni;           // empty: none
  std::string alpn;          // what was agreed on; empty: nothing
  bool resumed = false;
  std::optional<CertificateFacts> certificate;  // the peer's, verified; nothing: it showed none
};

// What a server proved of its certificate's state (ocsp_staple.h).
enum class OcspStaple : uint8_t { kNotAsked, kNone, kUnusable, kGood, kRevoked, kCount };

struct StapleVerdict {
  OcspStaple staple = OcspStaple::kNotAsked;
  std::string_view why = {};  // static: "the stapled OCSP response is out of date"; empty: not asked, or good
};

// What the ClientHello of TLS that is not ours says about its sender: of a tunnel, or of a transparent connection.
// Bytes that the client chose stand in `alpn`.
struct HelloFacts {
  std::string ja3;       // 32 hex digits; empty where the TLS library offers no MD5
  std::string ja4;       // "t13d1516h2_8daaf6152771_e5627efa2ab1"
  std::string versions;  // offered, in the client's order: "TLSv1.3,TLSv1.2"
  std::string alpn;      // the same: "h2,http/1.1"; empty: none
};

}  // namespace egret
