// The limit of a proxy that its clients speak TLS to: kernel and OpenSSL calls, and nothing else. One thread, one
// epoll, one certificate; requests are not read, but relayed as they come to a pooled connection to --origin, which
// takes them in absolute form too. One receive feeds all its records to OpenSSL, and the records of a turn leave in one
// send. Everything fits into socket buffers, or the program ends: requests and answers are small.
//
//   limit_tls --origin ADDRESS:PORT --certificate PEM --key PEM --ready-file FILE
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/ip.h"
#include "tools/bench/memory_tls.h"
#include "tools/bench/sockets.h"

namespace egret::bench {
namespace {

constexpr size_t kBufferBytes = size_t{256} * 1024;
constexpr size_t kPlainBytes = kBufferBytes + size_t{32} * 1024;  // with what OpenSSL held of a record

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
  explicit Client(SSL_CTX* context) : tls(context, MemoryTls::Side::kServer) {}
  MemoryTls tls;
  Upstream* upstream = nullptr;
};

void SendAll(int fd, std::string_view bytes) {
  const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0 && static_cast<size_t>(sent) != bytes.size()) Die("more than a socket takes");
}

class TlsLimit {
 public:
  TlsLimit(const Endpoint& origin, SSL_CTX* context)
      : origin_(origin),
        context_(context),
        received_(std::make_unique<char[]>(kBufferBytes)),
        plain_(std::make_unique<char[]>(kPlainBytes)) {
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
    auto* const client = new Client(context_);
    client->type = Source::Type::kClient;
    client->fd = fd;
    poller_.Add(fd, EPOLLIN, client);
  }

  void FromClient(Client& client) {
    const ssize_t n = recv(client.fd, received_.get(), kBufferBytes, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return Drop(client);
    const std::optional<size_t> plain =
        client.tls.Decrypt({received_.get(), static_cast<size_t>(n)}, {plain_.get(), kPlainBytes});
    if (!plain) return Drop(client);
    Flush(client);
    if (*plain == 0) return;
    if (client.upstream == nullptr) Attach(client);
    SendAll(client.upstream->fd, {plain_.get(), *plain});
  }

  void FromUpstream(Upstream& upstream) {
    const ssize_t n = recv(upstream.fd, received_.get(), kBufferBytes, 0);
    if (n <= 0) Die("the origin closed a connection");
    if (upstream.client == nullptr) return;  // for a client that broke off
    upstream.client->tls.Encrypt({received_.get(), static_cast<size_t>(n)});
    Flush(*upstream.client);
  }

  void Flush(Client& client) {
    if (!client.tls.out.empty()) SendAll(client.fd, client.tls.out);
    client.tls.out.clear();
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
  TlsLimit limit(ParseEndpointOrDie(*origin), ServerContext(std::string(*certificate), std::string(*key), nullptr));
  WriteReadyListeners(*ready_file, {{"tls", limit.address()}});
  limit.Run();
}
