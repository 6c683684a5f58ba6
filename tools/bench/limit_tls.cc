// The limit of a proxy that speaks TLS: kernel and OpenSSL calls, and nothing else. One thread, one epoll, one
// certificate whatever a client asks for. Nothing is read: what a client says goes to a pooled connection to --origin,
// and back. One receive feeds all its records to OpenSSL, and the records of a turn leave in one send.
//   without --inside   clients speak TLS to the proxy; the origin hears them in clear, and takes absolute form, too
//   with it            CONNECT is answered unread, and what comes inside is encrypted again for the origin. A
//   connection
//                      of HTTP/2 has one to the origin for itself, since bytes of it are nothing to whoever comes next
// Edge-triggered, and a short read is taken as the end of what is there, so that no call is made to hear EAGAIN.
//
//   limit_tls --origin ADDRESS:PORT --certificate PEM --key PEM [--inside http/1.1|h2] --ready-file FILE
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/ip.h"
#include "tools/bench/memory_tls.h"
#include "tools/bench/sockets.h"

namespace egret::bench {
namespace {

constexpr size_t kBufferBytes = size_t{256} * 1024;
constexpr size_t kPlainBytes = size_t{16} * 1024;  // a full record
constexpr uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr std::string_view kConnected = "HTTP/1.1 200 OK\r\n\r\n";

// What an event points to.
struct Source {
  enum class Type : uint8_t { kListener, kClient, kUpstream } type;
  int fd = -1;
};

struct Client;

struct Upstream : Source {
  std::optional<MemoryTls> tls;  // nothing: in clear
  Client* client = nullptr;      // null: idle
  std::string early;             // came with the end of the handshake
  bool readable = false;         // there may be more than was received
};

struct Client : Source {
  explicit Client(SSL_CTX* context) : tls(context, MemoryTls::Side::kServer) {}
  MemoryTls tls;
  bool speaks_tls = false;  // there is no CONNECT, or it has been answered
  Upstream* upstream = nullptr;
  size_t sent = 0;  // of tls.out
};

void SendAll(int fd, std::string_view bytes) {
  const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0 && static_cast<size_t>(sent) != bytes.size()) Die("more than a socket takes");
}

class TlsLimit {
 public:
  // `to_origin` is null where the proxy does not look inside.
  TlsLimit(const Endpoint& origin, SSL_CTX* to_clients, SSL_CTX* to_origin, bool pools)
      : origin_(origin),
        to_clients_(to_clients),
        to_origin_(to_origin),
        pools_(pools),
        received_(std::make_unique<char[]>(kBufferBytes)),
        plain_(std::make_unique<char[]>(kPlainBytes)) {
    listener_.type = Source::Type::kListener;
    listener_.fd = Listen({*IpAddress::Parse("127.0.0.1"), 0});
    poller_.Add(listener_.fd, EPOLLIN, &listener_);
  }

  Endpoint address() const { return BoundAddress(listener_.fd); }

  [[noreturn]] void Run() {
    for (;;)
      for (const epoll_event& event : poller_.Wait()) OnEvent(*static_cast<Source*>(event.data.ptr), event.events);
  }

 private:
  std::span<char> plain() { return {plain_.get(), kPlainBytes}; }

  void OnEvent(Source& source, uint32_t events) {
    switch (source.type) {
      case Source::Type::kListener:
        return Accept();
      case Source::Type::kClient:
        return OnClient(static_cast<Client&>(source), events);
      case Source::Type::kUpstream:
        if ((events & EPOLLIN) != 0) static_cast<Upstream&>(source).readable = true;
        return FromUpstream(static_cast<Upstream&>(source));
    }
  }

  void Accept() {
    const int fd = accept4(listener_.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto* const client = new Client(to_clients_);
    client->type = Source::Type::kClient;
    client->fd = fd;
    client->speaks_tls = to_origin_ == nullptr;
    poller_.Add(fd, kEvents, client);
  }

  void OnClient(Client& client, uint32_t events) {
    const bool was_full = !client.tls.out.empty();
    if (was_full && !Flush(client)) return;
    if (was_full && client.upstream != nullptr) FromUpstream(*client.upstream);
    if ((events & EPOLLIN) != 0 && !FromClient(client)) return Drop(client);
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) Drop(client);
  }

  // False: it has left. Requests are small: one receive has all that is there.
  bool FromClient(Client& client) {
    const ssize_t n = recv(client.fd, received_.get(), kBufferBytes, 0);
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) return false;
    if (!client.speaks_tls) {
      client.speaks_tls = true;
      SendAll(client.fd, kConnected);
      return true;
    }
    client.tls.Feed({received_.get(), static_cast<size_t>(n)});
    const std::optional<std::string_view> content = client.tls.Next(plain());
    if (!content) return false;
    Flush(client);
    if (content->empty()) return true;
    if (client.upstream == nullptr) Attach(client);
    ToOrigin(*client.upstream, *content);
    return true;
  }

  static void ToOrigin(Upstream& upstream, std::string_view content) {
    if (!upstream.tls) return SendAll(upstream.fd, content);
    upstream.tls->Encrypt(content);
    SendAll(upstream.fd, upstream.tls->out);
    upstream.tls->out.clear();
  }

  // As much as there is and the client takes.
  void FromUpstream(Upstream& upstream) {
    while (upstream.readable && (upstream.client == nullptr || upstream.client->tls.out.empty())) {
      const ssize_t n = recv(upstream.fd, received_.get(), kBufferBytes, 0);
      upstream.readable = n == static_cast<ssize_t>(kBufferBytes);
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) Die("the origin closed a connection");
      Relay(upstream, {received_.get(), static_cast<size_t>(n)});
      if (upstream.client != nullptr) Flush(*upstream.client);
    }
  }

  void Relay(Upstream& upstream, std::string_view received) {
    Client* const client = upstream.client;  // null: it broke off
    if (!upstream.tls) {
      if (client != nullptr) client->tls.Encrypt(received);
      return;
    }
    upstream.tls->Feed(received);
    for (;;) {
      const std::string_view content = NextOf(upstream);
      if (content.empty()) return;  // it was a ticket, or that was all
      if (client != nullptr) client->tls.Encrypt(content);
    }
  }

  std::string_view NextOf(Upstream& upstream) {
    const std::optional<std::string_view> content = upstream.tls->Next(plain());
    if (!content) Die("the origin ended TLS");
    return *content;
  }

  // False: the client does not take all of it now.
  static bool Flush(Client& client) {
    std::string& out = client.tls.out;
    if (out.empty()) return true;
    const ssize_t n = send(client.fd, out.data() + client.sent, out.size() - client.sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return false;
    client.sent = n < 0 ? out.size() : client.sent + static_cast<size_t>(n);  // that it has left is heard in time
    if (client.sent < out.size()) return false;
    out.clear();
    client.sent = 0;
    return true;
  }

  void Attach(Client& client) {
    if (idle_.empty()) idle_.push_back(DialOrigin());
    client.upstream = idle_.back();
    client.upstream->client = &client;
    idle_.pop_back();
    const std::string early = std::exchange(client.upstream->early, {});
    if (early.empty()) return;
    client.tls.Encrypt(early);
    Flush(client);
  }

  Upstream* DialOrigin() {
    auto* const made = new Upstream;
    made->type = Source::Type::kUpstream;
    made->fd = DialAndWait(origin_);
    if (to_origin_ != nullptr) Shake(*made);
    poller_.Add(made->fd, kEvents, made);
    return made;
  }

  // Waits: connections are made before anything is measured.
  void Shake(Upstream& upstream) {
    MemoryTls& tls = upstream.tls.emplace(to_origin_, MemoryTls::Side::kClient);
    tls.Begin();
    for (;;) {
      if (!tls.out.empty()) SendAll(upstream.fd, tls.out);
      tls.out.clear();
      if (tls.shaken()) return;
      pollfd readable{upstream.fd, POLLIN, 0};
      poll(&readable, 1, -1);
      const ssize_t n = recv(upstream.fd, received_.get(), kBufferBytes, 0);
      if (n <= 0) Die("the origin closed a connection");
      tls.Feed({received_.get(), static_cast<size_t>(n)});
      upstream.early += NextOf(upstream);
    }
  }

  void Drop(Client& client) {
    if (client.upstream != nullptr) {
      client.upstream->client = nullptr;
      if (pools_) idle_.push_back(client.upstream);
    }
    close(client.fd);
    delete &client;  // one event a socket and turn
  }

  const Endpoint origin_;
  SSL_CTX* const to_clients_;
  SSL_CTX* const to_origin_;
  const bool pools_;
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
  const auto inside = Option(arguments, "--inside");
  const auto ready_file = Option(arguments, "--ready-file");
  if (!origin || !certificate || !key || !ready_file) {
    std::fputs(
        "usage: limit_tls --origin ADDRESS:PORT --certificate PEM --key PEM [--inside http/1.1|h2] --ready-file FILE\n",
        stderr);
    return 2;
  }
  const std::string agreed(inside.value_or(""));
  const char* const protocol = inside ? agreed.c_str() : nullptr;
  SSL_CTX* const to_clients = ServerContext(std::string(*certificate), std::string(*key), protocol);
  SSL_CTX* const to_origin = inside ? ClientContext(protocol) : nullptr;
  TlsLimit limit(ParseEndpointOrDie(*origin), to_clients, to_origin, agreed != "h2");
  WriteReadyListeners(*ready_file, {{"tls", limit.address()}});
  limit.Run();
}
