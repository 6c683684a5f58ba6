// The load's connection to a proxy, in clear or over TLS: a new session each time, whoever the other side says it is.
#pragma once

#include <openssl/ssl.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace egret::bench {

class Channel {
 public:
  enum class Shake : uint8_t { kDone, kMore, kFailed };

  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() { Close(); }

  void Open(int fd) { fd_ = fd; }  // in clear
  // From now on in TLS, with who is asked for by `name`. `protocol`: the ALPN that is offered; empty: none.
  void Encrypt(const std::string& name, std::string_view protocol);
  void Close();  // over TLS with close_notify
  bool open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

  Shake Handshake();  // until it is done; in clear it is. kFailed, too, without the HTTP/2 that was offered
  // As recv(). -1 with EAGAIN: nothing is there.
  ssize_t Receive(char* into, size_t most);
  bool holds_more() const { return ssl_ != nullptr && SSL_pending(ssl_) > 0; }  // of which epoll says nothing
  // All at once: a request is far smaller than an empty socket buffer.
  [[nodiscard]] bool Send(std::string_view bytes);

 private:
  int fd_ = -1;
  SSL* ssl_ = nullptr;
  bool wants_http2_ = false;
};

}  // namespace egret::bench
