#include "tools/bench/memory_tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>

#include "source/base/strings.h"
#include "tools/bench/sockets.h"

namespace egret::bench {
namespace {

constexpr const char* kCipher = "TLS_AES_128_GCM_SHA256";  // the cheapest

int Agree(SSL*, const uint8_t** chosen, uint8_t* size, const uint8_t* offered, unsigned offered_size, void* wanted) {
  const std::string_view ours(static_cast<const char*>(wanted));
  for (size_t at = 0; at < offered_size; at += size_t{1} + offered[at]) {
    const std::string_view theirs(reinterpret_cast<const char*>(offered + at + 1), offered[at]);
    if (theirs != ours) continue;
    *chosen = offered + at + 1;
    *size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

long Control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

SSL_CTX* MakeContext(const SSL_METHOD* method) {
  SSL_CTX* const context = SSL_CTX_new(method);
  if (context == nullptr || SSL_CTX_set_ciphersuites(context, kCipher) != 1) Die("SSL_CTX_new");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  return context;
}

}  // namespace

SSL_CTX* ServerContext(const std::string& certificate, const std::string& key, const char* protocol) {
  SSL_CTX* const context = MakeContext(TLS_server_method());
  if (SSL_CTX_use_certificate_file(context, certificate.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    Die("the certificate or its key");
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context, 0);
  if (protocol != nullptr) SSL_CTX_set_alpn_select_cb(context, Agree, const_cast<char*>(protocol));
  return context;
}

SSL_CTX* ClientContext(const char* protocol) {
  SSL_CTX* const context = MakeContext(TLS_client_method());
  if (protocol == nullptr) return context;
  const std::string offer = Cat(std::string(1, static_cast<char>(std::strlen(protocol))), protocol);
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const uint8_t*>(offer.data()), static_cast<unsigned>(offer.size()));
  return context;
}

MemoryTls::MemoryTls(SSL_CTX* context, Side side) : ssl_(SSL_new(context)) {
  BIO* const bio = MakeBio();
  SSL_set_bio(ssl_, bio, bio);
  side == Side::kServer ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
}

void MemoryTls::Begin() { SSL_do_handshake(ssl_); }

std::optional<std::string_view> MemoryTls::Next(std::span<char> into) {
  size_t size = 0;
  while (size < into.size() && (!in_.empty() || SSL_pending(ssl_) > 0)) {
    size_t got = 0;
    const int outcome = SSL_read_ex(ssl_, into.data() + size, into.size() - size, &got);
    size += got;
    if (outcome == 1 || SSL_get_error(ssl_, outcome) == SSL_ERROR_WANT_READ) continue;
    ERR_clear_error();  // it would be the next session's
    return std::nullopt;
  }
  return std::string_view(into.data(), size);
}

void MemoryTls::Encrypt(std::string_view plain) {
  size_t written = 0;
  SSL_write_ex(ssl_, plain.data(), plain.size(), &written);
}

int MemoryTls::Read(BIO* bio, char* into, int size) {
  std::string_view& in = static_cast<MemoryTls*>(BIO_get_data(bio))->in_;
  BIO_clear_retry_flags(bio);
  if (in.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const size_t n = std::min(static_cast<size_t>(size), in.size());
  std::memcpy(into, in.data(), n);
  in.remove_prefix(n);
  return static_cast<int>(n);
}

int MemoryTls::Write(BIO* bio, const char* from, int size) {
  static_cast<MemoryTls*>(BIO_get_data(bio))->out.append(from, static_cast<size_t>(size));
  return size;
}

BIO* MemoryTls::MakeBio() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "memory");
    BIO_meth_set_read(made, Read);
    BIO_meth_set_write(made, Write);
    BIO_meth_set_ctrl(made, Control);
    return made;
  }();
  BIO* const bio = BIO_new(method);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace egret::bench
