// What a client says before anything is encrypted, read from bytes that were peeked and stay where they are. Pure
// functions: no stream, no clock; the caller bounds the time and reads on while the answer is kNeedMore.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace egret {

// A TLS ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2). Lists are in the client's order and without GREASE values
// (RFC 8701), so that what is derived from them (a fingerprint, the best version) is stable.
struct ClientHello {
  // Lower case, printable ASCII without spaces, 1 to 255 bytes; empty where the client sent none. Otherwise as it came:
  // it may be an address, end in a dot or be no name at all, and whoever compares it makes it canonical first.
  std::string sni;
  std::vector<std::string> alpn;
  uint16_t legacy_version = 0;
  std::vector<uint16_t> versions;  // supported_versions; empty before TLS 1.3
  std::vector<uint16_t> cipher_suites;
  std::vector<uint16_t> extensions;
  std::vector<uint16_t> groups;
  std::vector<uint16_t> signature_algorithms;
  std::vector<uint8_t> ec_point_formats;
  // An encrypted_client_hello extension is there (RFC 9849). Browsers send one filled with noise too, and the two
  // cannot be told apart: where it is real, `sni` names the client-facing server only.
  bool ech = false;
};

enum class HelloState : uint8_t {
  kNeedMore,   // all of it so far could be the beginning of a hello
  kNotTls,     // the first bytes are no TLS handshake record
  kMalformed,  // TLS, and no server that follows the RFCs would take it
  kTooLarge,   // longer than `max_bytes`, or in more records than kMaxHelloRecords
  kHello,
};

inline constexpr size_t kDefaultMaxHelloBytes = size_t{64} * 1024;
// Bounds what re-reading costs when a hello trickles in as records of one byte.
inline constexpr size_t kMaxHelloRecords = 4096;

// Reads a hello that begins at the first byte of `seen` and may span several records (RFC 8446 5.1) with nothing
// between them; what follows its last record is not looked at. `out` is complete after kHello and unchanged otherwise.
// `seen` never needs to grow past max_bytes + 4 + 5 * kMaxHelloRecords bytes.
HelloState ParseClientHello(std::string_view seen, ClientHello& out, size_t max_bytes = kDefaultMaxHelloBytes);

enum class Sniff : uint8_t { kNeedMore, kTls, kHttp1, kHttp2Preface, kOther };

// Which protocol a client's first bytes belong to, as soon as that is certain:
//   kTls           a handshake record; whether it is a sound hello is ParseClientHello's to say. A broken one is still
//                  kTls, so that no lenient server can be reached by what passes here as "something else"
//   kHttp1         a request line (RFC 9112 3) up to its "HTTP/", one too long for any other protocol, or what a
//                  lenient server takes for one. Empty lines before it are skipped, as servers skip them
//   kHttp2Preface  "PRI * HTTP/2.0" (RFC 9113 3.4)
//   kOther         SSH, SMTP, a binary protocol: an answer to which more bytes would change nothing
Sniff Classify(std::string_view seen);

bool LooksLikeHttp1(std::string_view seen);

}  // namespace egret
