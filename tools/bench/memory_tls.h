// What the limits need of OpenSSL: a session on memory, that nobody who speaks TLS can do without. One receive feeds
// all its records to OpenSSL, and the records of a turn are in `out`, to leave in one send. Content passes in pieces
// that the nearest cache holds, and the library is asked for none that is not there. Whatever is wrong with a session
// ends it.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace egret::bench {

// One certificate for everybody, the cheapest cipher, no tickets. `protocol` (ALPN, null: none) is agreed on with
// whoever offers it, and has to outlive the context.
SSL_CTX* ServerContext(const std::string& certificate, const std::string& key, const char* protocol);
// Believes everybody, and offers `protocol` (null: none).
SSL_CTX* ClientContext(const char* protocol);

class MemoryTls {
 public:
  enum class Side : uint8_t { kServer, kClient };

  MemoryTls(SSL_CTX* context, Side side);
  ~MemoryTls() { SSL_free(ssl_); }
  MemoryTls(const MemoryTls&) = delete;
  MemoryTls& operator=(const MemoryTls&) = delete;

  // Of both: what it has to say is in `out`.
  void Begin();  // of the client; a server begins with what it receives
  // `received` has to be taken out before there is more. Makes the handshake, too.
  void Feed(std::string_view received) { in_ = received; }
  // The next of its content, in `into`: as much as fits, or all that is left; empty: nothing is. Nothing: the session
  // is over.
  std::optional<std::string_view> Next(std::span<char> into);
  void Encrypt(std::string_view plain);
  bool shaken() const { return SSL_is_init_finished(ssl_) == 1; }

  std::string out;

 private:
  static int Read(BIO* bio, char* into, int size);
  static int Write(BIO* bio, const char* from, int size);
  BIO* MakeBio();

  SSL* const ssl_;
  std::string_view in_;  // received and not asked for yet
};

}  // namespace egret::bench
