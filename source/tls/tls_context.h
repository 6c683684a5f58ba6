// What TLS needs to know beforehand, compiled once: certificates and keys, whom to believe, what is offered. Immutable
// and shared by all threads; a stream keeps the context it was made with. TLS 1.2 at least; no compression, no
// renegotiation, no early data.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/result.h"
#include "source/io/stream.h"
#include "source/tls/certificates.h"
#include "source/tls/ssl_context.h"
#include "source/tls/tls_stream.h"

namespace egret {

struct TlsServerOptions {
  enum class ClientCertificates : uint8_t { kNone, kRequest, kRequire };
  std::vector<TlsKeyPair> certificates = {};  // at least one; the first is for clients that name none of the others
  ClientCertificates client_certificates = ClientCertificates::kNone;
  TlsTrust trust = {};  // of client certificates
  TlsSettings settings = {};
};

class TlsServerContext : public std::enable_shared_from_this<TlsServerContext> {
 public:
  static Result<std::shared_ptr<const TlsServerContext>, Problem> Make(const TlsServerOptions& options);

  // The server's side of a connection; its handshake has not begun.
  std::unique_ptr<TlsStream> Accept(std::unique_ptr<Stream> lower) const;

  const std::vector<TlsExpiry>& expiries() const { return expiries_; }

 private:
  TlsServerContext() = default;
  SSL_CTX* Choose(std::string_view name) const;
  static int OnServerName(SSL* ssl, int* alert, void* context);
  static int OnAlpn(SSL* ssl, const unsigned char** out, unsigned char* out_size, const unsigned char* offer,
                    unsigned offer_size, void* context);

  std::vector<SslContextPtr> contexts_;                          // one for each key pair
  std::map<std::string, SSL_CTX*, std::less<>> by_name_;         // "www.example.com"
  std::map<std::string, SSL_CTX*, std::less<>> by_parent_name_;  // "example.com" of "*.example.com"
  std::vector<std::string> alpn_;
  std::vector<TlsExpiry> expiries_;
};

struct TlsClientOptions {
  bool verify = true;
  TlsTrust trust = {};
  bool require_staple = false;  // a good OCSP response is stapled, or the server is not believed
  TlsKeyPair certificate = {};  // shown to servers that ask; empty: none
  TlsSettings settings = {};
};

class TlsClientContext : public std::enable_shared_from_this<TlsClientContext> {
 public:
  static Result<std::shared_ptr<const TlsClientContext>, Problem> Make(const TlsClientOptions& options);

  // The client's side of a connection to `host`, a name or an address literal without brackets: whom the certificate
  // must be for, and whose sessions may be resumed. A name is sent as SNI, a literal never (RFC 6066 3). `alpn` instead
  // of the settings' where it is not empty.
  std::unique_ptr<TlsStream> Connect(std::unique_ptr<Stream> lower, const std::string& host,
                                     const std::vector<std::string>& alpn = {}) const;

  // Whether a server's certificate has to be believed.
  bool verifies() const { return verifies_; }
  // Of this process; no two contexts have the same.
  uint64_t id() const { return id_; }

  static constexpr size_t kMostSessions = 1000;
  size_t sessions() const;  // that could be resumed
  const std::vector<TlsExpiry>& expiries() const { return expiries_; }

 private:
  using SessionPtr = std::unique_ptr<SSL_SESSION, FreeWith<SSL_SESSION_free>>;
  struct Remembered {
    std::string host;
    SessionPtr session;
  };
  TlsClientContext();
  static int OnSession(SSL* ssl, SSL_SESSION* session);
  void Remember(std::string host, SessionPtr session) const;
  SessionPtr Recall(const std::string& host) const;

  const uint64_t id_;
  bool verifies_ = false;
  SslContextPtr context_;
  std::vector<TlsExpiry> expiries_;
  mutable std::mutex mutex_;
  mutable std::list<Remembered> remembered_;  // the latest first
  mutable std::map<std::string, std::list<Remembered>::iterator, std::less<>> by_host_;
};

}  // namespace egret
