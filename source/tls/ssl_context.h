// What every context of ours is made of, whatever it is for: versions, ciphers, sessions, ALPN. For those who make
// contexts; nobody else needs the library's own types.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/result.h"
#include "source/tls/certificates.h"

namespace egret {

using SslContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;

struct TlsSettings {
  enum class Version : uint8_t { k12, k13 };
  Version least = Version::k12;
  // Of TLS 1.2, in the library's or IANA's names; empty: ECDHE with AES-GCM or ChaCha20. Those of TLS 1.3 are fixed.
  std::vector<std::string> cipher_suites = {};
  // In order of preference; empty: not spoken of.
  std::vector<std::string> alpn = {};
};

// TLS 1.2 at least; no compression, no renegotiation, no early data.
Result<SslContextPtr, Problem> NewSslContext(const SSL_METHOD* method, const TlsSettings& settings);

// Lets clients resume: by tickets under the process's keys, or, where they know none, by number.
void RememberClients(SSL_CTX* context);

// What the library's error queue says of `what`; it is empty afterwards.
Problem LibraryProblem(std::string_view what);

// Whether the library knows a TLS 1.2 cipher suite of this name that these settings allow: with forward secrecy and
// authenticated encryption.
bool IsCipherSuite(const std::string& name);

// In the form of the wire: each name after its length.
std::string AlpnWire(const std::vector<std::string>& names);

// The first of `ours` that `offer` (in the form of the wire, well-formed) has too: a part of `offer`. Empty: none.
std::string_view ChooseAlpn(const std::vector<std::string>& ours, std::string_view offer);

// Whether a ClientHello may name a server so (RFC 6066 3).
bool IsServerName(std::string_view name);

}  // namespace egret
