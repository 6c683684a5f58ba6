#include "tools/bench/channel.h"

#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "source/base/strings.h"
#include "tools/bench/sockets.h"

namespace egret::bench {
namespace {

SSL_CTX* Context() {
  static SSL_CTX* const context = [] {
    SSL_CTX* const made = SSL_CTX_new(TLS_client_method());
    if (made == nullptr) Die("SSL_CTX_new");
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(made, SSL_OP_IGNORE_UNEXPECTED_EOF);
    return made;
  }();
  return context;
}

bool SpeaksHttp2(SSL* ssl) {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &size);
  return size == 2 && std::string_view(reinterpret_cast<const char*>(protocol), size) == "h2";
}

}  // namespace

void Channel::Encrypt(const std::string& name, std::string_view protocol) {
  ssl_ = SSL_new(Context());
  SSL_set_fd(ssl_, fd_);
  SSL_set_tlsext_host_name(ssl_, name.c_str());
  SSL_set_connect_state(ssl_);
  wants_http2_ = protocol == "h2";
  if (protocol.empty()) return;
  const std::string offer = Cat(std::string(1, static_cast<char>(protocol.size())), protocol);
  SSL_set_alpn_protos(ssl_, reinterpret_cast<const uint8_t*>(offer.data()), static_cast<unsigned>(offer.size()));
}

void Channel::Close() {
  if (ssl_ != nullptr) {
    if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
    SSL_free(std::exchange(ssl_, nullptr));
    ERR_clear_error();
  }
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

Channel::Shake Channel::Handshake() {
  if (ssl_ == nullptr) return Shake::kDone;
  ERR_clear_error();
  const int outcome = SSL_do_handshake(ssl_);
  if (outcome == 1) return !wants_http2_ || SpeaksHttp2(ssl_) ? Shake::kDone : Shake::kFailed;
  return SSL_get_error(ssl_, outcome) == SSL_ERROR_WANT_READ ? Shake::kMore : Shake::kFailed;
}

ssize_t Channel::Receive(char* into, size_t most) {
  if (ssl_ == nullptr) return recv(fd_, into, most, 0);
  ERR_clear_error();
  size_t got = 0;
  const int outcome = SSL_read_ex(ssl_, into, most, &got);
  if (outcome == 1) return static_cast<ssize_t>(got);
  const int kind = SSL_get_error(ssl_, outcome);
  if (kind == SSL_ERROR_ZERO_RETURN) return 0;
  errno = kind == SSL_ERROR_WANT_READ ? EAGAIN : EPROTO;
  return -1;
}

bool Channel::Send(std::string_view bytes) {
  if (ssl_ == nullptr) return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  ERR_clear_error();
  size_t sent = 0;
  return SSL_write_ex(ssl_, bytes.data(), bytes.size(), &sent) == 1;
}

}  // namespace egret::bench
