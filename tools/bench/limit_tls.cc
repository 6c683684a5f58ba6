// The limit of a proxy that its clients speak TLS to: kernel and OpenSSL calls, and nothing else. One thread, one
// epoll, one certificate; requests are not read, but relayed as they come to a pooled connection to --origin, which
// takes them in absolute form too. One receive feeds all its records to OpenSSL, and the records of a turn leave in one
// send. Everything fits into socket buffers, or the program ends: requests and answers are small.
//
//   limit_tls --origin ADDRESS:PORT --certificate PEM --key PEM --ready-file FILE
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/ip.h"
#include "tools/bench/sockets.h"

namespace egret::bench {
namespace {

constexpr size_t kBufferBytes = size_t{256} * 1024;

// What an event points to.
struct Source {
  enum class Type : uint8_t { kListener, kClient, kUpstream } type;
  int fd = -1;
};

struct Client;

struct Upstream : Source {
  Client* client = nullptr;  // null: idle
};

struct Client : Source {
  SSL* ssl = nullptr;
  Upstream* upstream = nullptr;
  std::string_view in;  // received and not asked for yet
  std::string out;      // to be sent at the end of the turn
};

void SendAll(int fd, std::string_view bytes) {
  const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0 && static_cast<size_t>(sent) != bytes.size()) Die("more than a socket takes");
}

// OpenSSL's way to a Client's `in` and `out`.
struct MemoryBio {
  static Client& Of(BIO* bio) { return *static_cast<Client*>(BIO_get_data(bio)); }
  static int Read(BIO* bio, char* into, int size) {
    Client& client = Of(bio);
    BIO_clear_retry_flags(bio);
    if (client.in.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const size_t n = std::min(static_cast<size_t>(size), client.in.size());
    std::memcpy(into, client.in.data(), n);
    client.in.remove_prefix(n);
    return static_cast<int>(n);
  }
  static int Write(BIO* bio, const char* from, int size) {
    Of(bio).out.append(from, static_cast<size_t>(size));
    return size;
  }
  static long Control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO* Make(Client& client) {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "memory");
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    BIO* const bio = BIO_new(method);
    BIO_set_data(bio, &client);
    BIO_set_init(bio, 1);
    return bio;
  }
};

SSL_CTX* MakeContext(const std::string& certificate, const std::string& key) {
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_file(context, certificate.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    Die("the certificate or its key");
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");  // the cheapest
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  return context;
}

class TlsLimit {
 public:
  TlsLimit(const Endpoint& origin, SSL_CTX* context)
      : origin_(origin),
        context_(context),
        received_(std::make_unique<char[]>(kBufferBytes)),
        plain_(std::make_unique<char[]>(kBufferBytes)) {
    listener_.type = Source::Type::kListener;
    listener_.fd = Listen({*IpAddress::Parse("127.0.0.1"), 0});
    poller_.Add(listener_.fd, EPOLLIN, &listener_);
  }

  Endpoint address() const { return BoundAddress(listener_.fd); }

  [[noreturn]] void Run() {
    for (;;)
      for (const epoll_event& event : poller_.Wait(-1)) {
        auto* const source = static_cast<Source*>(event.data.ptr);
        switch (source->type) {
          case Source::Type::kListener:
            Accept();
            break;
          case Source::Type::kClient:
            FromClient(*static_cast<Client*>(source));
            break;
          case Source::Type::kUpstream:
            FromUpstream(*static_cast<Upstream*>(source));
            break;
        }
      }
  }

 private:
  void Accept() {
    const int fd = accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto* const client = new Client;
    client->type = Source::Type::kClient;
    client->fd = fd;
    client->ssl = SSL_new(context_);
    BIO* const bio = MemoryBio::Make(*client);
    SSL_set_bio(client->ssl, bio, bio);
    SSL_set_accept_state(client->ssl);
    poller_.Add(fd, EPOLLIN, client);
  }

  void FromClient(Client& client) {
    const ssize_t n = recv(client.fd, received_.get(), kBufferBytes, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return Drop(client);
    client.in = {received_.get(), static_cast<size_t>(n)};
    ERR_clear_error();
    size_t plain = 0, got = 0;
    int outcome = 1;  // reading makes the handshake, too
    while ((outcome = SSL_read_ex(client.ssl, plain_.get() + plain, kBufferBytes - plain, &got)) == 1) plain += got;
    if (SSL_get_error(client.ssl, outcome) != SSL_ERROR_WANT_READ) return Drop(client);
    Flush(client);
    if (plain == 0) return;
    if (client.upstream == nullptr) Attach(client);
    SendAll(client.upstream->fd, {plain_.get(), plain});
  }

  void FromUpstream(Upstream& upstream) {
    const ssize_t n = recv(upstream.fd, received_.get(), kBufferBytes, 0);
    if (n <= 0) Die("the origin closed a connection");
    if (upstream.client == nullptr) return;  // for a client that broke off
    ERR_clear_error();
    size_t written = 0;
    SSL_write_ex(upstream.client->ssl, received_.get(), static_cast<size_t>(n), &written);
    Flush(*upstream.client);
  }

  void Flush(Client& client) {
    if (!client.out.empty()) SendAll(client.fd, client.out);
    client.out.clear();
  }

  void Attach(Client& client) {
    if (idle_.empty()) {
      auto* const made = new Upstream;
      made->type = Source::Type::kUpstream;
      made->fd = DialAndWait(origin_);
      poller_.Add(made->fd, EPOLLIN, made);
      idle_.push_back(made);
    }
    client.upstream = idle_.back();
    client.upstream->client = &client;
    idle_.pop_back();
  }

  void Drop(Client& client) {
    if (client.upstream != nullptr) {
      client.upstream->client = nullptr;
      idle_.push_back(client.upstream);
    }
    SSL_free(client.ssl);
    close(client.fd);
    delete &client;  // one event a socket and turn
  }

  const Endpoint origin_;
  SSL_CTX* const context_;
  const std::unique_ptr<char[]> received_, plain_;
  Poller poller_;
  Source listener_;
  std::vector<Upstream*> idle_;
};

}  // namespace
}  // namespace egret::bench

int main(int argc, char** argv) {
  using namespace egret::bench;
  const std::span<char* const> arguments(argv, static_cast<size_t>(argc));
  const auto origin = Option(arguments, "--origin");
  const auto certificate = Option(arguments, "--certificate");
  const auto key = Option(arguments, "--key");
  const auto ready_file = Option(arguments, "--ready-file");
  if (!origin || !certificate || !key || !ready_file) {
    std::fputs("usage: limit_tls --origin ADDRESS:PORT --certificate PEM --key PEM --ready-file FILE\n", stderr);
    return 2;
  }
  TlsLimit limit(ParseEndpointOrDie(*origin), MakeContext(std::string(*certificate), std::string(*key)));
  WriteReadyListeners(*ready_file, {{"tls", limit.address()}});
  limit.Run();
}
