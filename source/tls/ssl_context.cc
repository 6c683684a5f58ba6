#include "source/tls/ssl_context.h"

#include <openssl/err.h>

#include <algorithm>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/tls/key_log.h"
#include "source/tls/ticket_keys.h"

namespace egret {
namespace {

// Forward secrecy and authenticated encryption only, as RFC 9325 4.2 recommends.
constexpr const char* kCipherSuites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
// The same order. A handshake hashes more than it encrypts, and SHA-256 is an instruction of most machines.
constexpr const char* kModernCipherSuites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";

// IANA's name or the library's, as the library knows it; null: neither.
const SSL_CIPHER* FindCipher(SSL* ssl, const std::string& name) {
  const STACK_OF(SSL_CIPHER)* const all = SSL_get_ciphers(ssl);
  for (int i = 0; i < sk_SSL_CIPHER_num(all); ++i) {
    const SSL_CIPHER* const cipher = sk_SSL_CIPHER_value(all, i);
    if (SSL_CIPHER_get_kx_nid(cipher) == NID_kx_any) continue;  // of TLS 1.3
    const char* const standard = SSL_CIPHER_standard_name(cipher);
    if (name == SSL_CIPHER_get_name(cipher) || (standard != nullptr && name == standard)) return cipher;
  }
  return nullptr;
}

std::string CipherList(const std::vector<std::string>& names) {
  if (names.empty()) return kCipherSuites;
  const SslContextPtr context(SSL_CTX_new(TLS_method()));
  SSL_CTX_set_cipher_list(context.get(), kCipherSuites);
  const std::unique_ptr<SSL, FreeWith<SSL_free>> ssl(SSL_new(context.get()));
  std::string list;
  for (const std::string& name : names) {
    const SSL_CIPHER* const cipher = FindCipher(ssl.get(), name);
    if (cipher != nullptr) Append(list, list.empty() ? "" : ":", SSL_CIPHER_get_name(cipher));
  }
  return list;
}

constexpr long kMostServerSessions = 10000;  // of TLS 1.2 clients that know no tickets

// Whether a resumed client's certificate is still in its time; the library does not ask again.
int OnVerifiedTicket(SSL*, SSL_SESSION* session, const unsigned char*, size_t, SSL_TICKET_STATUS status, void*) {
  X509* const certificate = session != nullptr ? SSL_SESSION_get0_peer(session) : nullptr;
  const bool expired = certificate != nullptr && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0;
  if (expired) return SSL_TICKET_RETURN_IGNORE_RENEW;
  switch (status) {
    case SSL_TICKET_EMPTY:
    case SSL_TICKET_NO_DECRYPT:
      return SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS:
      return SSL_TICKET_RETURN_USE;
    case SSL_TICKET_SUCCESS_RENEW:
      return SSL_TICKET_RETURN_USE_RENEW;
    default:
      return SSL_TICKET_RETURN_IGNORE;
  }
}

}  // namespace

Problem LibraryProblem(std::string_view what) {
  const char* const text = ERR_reason_error_string(ERR_peek_last_error());
  Problem problem{Cat(what, ": ", text != nullptr ? text : "refused by the TLS library")};
  ERR_clear_error();
  return problem;
}

Result<SslContextPtr, Problem> NewSslContext(const SSL_METHOD* method, const TlsSettings& settings) {
  SslContextPtr context(SSL_CTX_new(method));
  CHECK(context != nullptr);
  SSL_CTX* const raw = context.get();
  const bool modern = settings.least == TlsSettings::Version::k13;
  SSL_CTX_set_min_proto_version(raw, modern ? TLS1_3_VERSION : TLS1_2_VERSION);
  // The end of the stream below is told apart from close_notify by TlsStream itself.
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                               SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Without NO_AUTO_CHAIN, roots that are believed would be sent as if they were our intermediates.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_max_early_data(raw, 0);
  SSL_CTX_set_timeout(raw, TicketKeys::kSessionLife.count());
  if (SSL_CTX_set1_groups_list(raw, kGroups) != 1 || SSL_CTX_set_ciphersuites(raw, kModernCipherSuites) != 1 ||
      SSL_CTX_set_cipher_list(raw, CipherList(settings.cipher_suites).c_str()) != 1)
    return LibraryProblem("cipher suites");
  KeyLog::Use(raw);
  return context;
}

void RememberClients(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
  SSL_CTX_sess_set_cache_size(context, kMostServerSessions);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_session_ticket_cb(context, nullptr, OnVerifiedTicket, nullptr);
  TicketKeys::Use(context);
}

bool IsCipherSuite(const std::string& name) { return !CipherList({name}).empty(); }

std::string AlpnWire(const std::vector<std::string>& names) {
  std::string wire;
  for (const std::string& name : names) {
    CHECK(!name.empty() && name.size() < 256);
    wire += static_cast<char>(name.size());
    wire += name;
  }
  return wire;
}

std::string_view ChooseAlpn(const std::vector<std::string>& ours, std::string_view offer) {
  for (const std::string& name : ours)
    for (size_t at = 0; at < offer.size(); at += 1 + static_cast<unsigned char>(offer[at]))
      if (const std::string_view theirs = offer.substr(at + 1, static_cast<unsigned char>(offer[at])); theirs == name)
        return theirs;
  return {};
}

bool IsServerName(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsAsciiDigit(c) || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace egret
