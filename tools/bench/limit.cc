// The limit: what the kernel calls of a proxy's work cost when nothing else is done. One thread, one epoll, no policy,
// no timers, no log, next to no parsing; see README.md. Listens on three ports of 127.0.0.1:
//   relay    every connection is relayed to --origin as it comes
//   connect  CONNECT to an address literal, then recv and send through one buffer
//   splice   the same, and splice once a direction carries bulk
// Edge-triggered, and a short read is taken as the end of what is there, so that no call is made to hear EAGAIN.
//
//   limit --origin ADDRESS:PORT --ready-file FILE
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/ip.h"
#include "source/base/strings.h"
#include "tools/bench/sockets.h"

namespace egret::bench {
namespace {

constexpr size_t kBufferBytes = size_t{256} * 1024;
constexpr size_t kPipeBytes = size_t{1024} * 1024;  // as much as an unprivileged process may ask for
constexpr size_t kBulkBytes = size_t{16} * 1024;    // a read of this much: splice from now on
constexpr size_t kMaxHeadBytes = size_t{16} * 1024;
constexpr uint32_t kReadEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;

enum class Kind : uint8_t { kRelay, kConnect, kSplice };

// What an event points to.
struct Source {
  enum class Type : uint8_t { kListener, kEnd } type;
};

struct Listener : Source {
  Kind kind;
  int fd;
};

struct Tunnel;

// One of a tunnel's two sockets, and what came from the other one and waits for it to take more.
struct End : Source {
  End() : Source{Type::kEnd} {}
  Tunnel* tunnel = nullptr;
  End* other = nullptr;
  int fd = -1;
  bool readable = false;
  bool hung_up = false;  // the peer's FIN is in the queue: a short read is not the end of it
  bool ended = false;    // ... and has been read
  bool write_armed = false;
  std::string unsent;
  int pipe[2] = {-1, -1};  // from this socket to the other one
  size_t in_pipe = 0;
};

struct Tunnel {
  Tunnel() {
    client.other = &upstream;
    upstream.other = &client;
    client.tunnel = upstream.tunnel = this;
  }
  Kind kind = Kind::kRelay;
  bool relaying = false;  // both ends are connected and the CONNECT is answered
  bool dead = false;
  std::string head;  // of a CONNECT that came in pieces
  End client, upstream;
};

class Limit {
 public:
  explicit Limit(const Endpoint& origin) : origin_(origin), buffer_(std::make_unique<char[]>(kBufferBytes)) {}

  Endpoint Open(Kind kind) {
    Listener& listener = listeners_[static_cast<size_t>(kind)];
    listener = {{Source::Type::kListener}, kind, Listen({*IpAddress::Parse("127.0.0.1"), 0})};
    // Level-triggered and one accept an event: no accept only to hear that there is nothing more.
    poller_.Add(listener.fd, EPOLLIN, &listener);
    return BoundAddress(listener.fd);
  }

  [[noreturn]] void Run() {
    for (;;) {
      for (const epoll_event& event : poller_.Wait()) {
        auto* source = static_cast<Source*>(event.data.ptr);
        if (source->type == Source::Type::kListener)
          Accept(*static_cast<Listener*>(source));
        else
          OnEvent(*static_cast<End*>(source), event.events);
      }
      // Later events of the batch may have pointed to them.
      for (const Tunnel* tunnel : dead_) delete tunnel;
      dead_.clear();
    }
  }

 private:
  void Accept(const Listener& listener) {
    const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto* tunnel = new Tunnel;
    tunnel->kind = listener.kind;
    tunnel->client.fd = fd;
    poller_.Add(fd, kReadEvents, &tunnel->client);
    if (listener.kind == Kind::kRelay) Reach(*tunnel, origin_);
  }

  void OnEvent(End& end, uint32_t events) {
    Tunnel& tunnel = *end.tunnel;
    if (tunnel.dead) return;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) end.readable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) end.hung_up = true;
    if (!tunnel.relaying) {
      if (&end == &tunnel.upstream && events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) Connected(tunnel);
      if (&end == &tunnel.client && tunnel.upstream.fd < 0) ReadHead(tunnel);
      return;
    }
    if (events & EPOLLOUT) Pump(*end.other, end);
    Pump(end, *end.other);
  }

  void ReadHead(Tunnel& tunnel) {
    const ssize_t n = recv(tunnel.client.fd, buffer_.get(), kBufferBytes, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return Drop(tunnel);
    tunnel.client.readable = static_cast<size_t>(n) == kBufferBytes || tunnel.client.hung_up;
    tunnel.head.append(buffer_.get(), static_cast<size_t>(n));
    const size_t end = tunnel.head.find("\r\n\r\n");
    if (end == std::string::npos) return tunnel.head.size() > kMaxHeadBytes ? Drop(tunnel) : void();
    constexpr std::string_view kMethod = "CONNECT ";
    if (!tunnel.head.starts_with(kMethod)) return Drop(tunnel);
    std::string_view target = std::string_view(tunnel.head).substr(kMethod.size());
    const std::optional<Endpoint> to = Endpoint::Parse(SplitFirst(target, ' '));
    if (!to) return Drop(tunnel);
    tunnel.upstream.unsent = tunnel.head.substr(end + 4);
    tunnel.head = {};
    Reach(tunnel, *to);
  }

  void Reach(Tunnel& tunnel, const Endpoint& to) {
    const Dialled dialled = Dial(to);
    if (dialled.fd < 0) return Drop(tunnel);
    tunnel.upstream.fd = dialled.fd;
    tunnel.upstream.write_armed = !dialled.connected;
    poller_.Add(dialled.fd, dialled.connected ? kReadEvents : kReadEvents | EPOLLOUT, &tunnel.upstream);
    if (dialled.connected) Connected(tunnel);
  }

  void Connected(Tunnel& tunnel) {
    tunnel.relaying = true;
    if (tunnel.kind != Kind::kRelay) {
      constexpr std::string_view kReply = "HTTP/1.1 200 OK\r\n\r\n";
      if (send(tunnel.client.fd, kReply.data(), kReply.size(), MSG_NOSIGNAL) < 0) return Drop(tunnel);
    }
    Pump(tunnel.client, tunnel.upstream);
  }

  // Carries what is there from one end to the other until one of them has no more or takes no more.
  void Pump(End& from, End& to) {
    if (from.tunnel->dead || !Flush(to)) return;
    while (from.readable && !from.ended) {
      if (from.pipe[0] >= 0) return Splice(from, to);
      const ssize_t n = recv(from.fd, buffer_.get(), kBufferBytes, 0);
      if (n <= 0) return EndOfReading(from, to, n);
      const auto size = static_cast<size_t>(n);
      from.readable = size == kBufferBytes || from.hung_up;
      if (size >= kBulkBytes && from.tunnel->kind == Kind::kSplice) OpenPipe(from);
      if (!Send(to, std::string_view(buffer_.get(), size))) return;
    }
  }

  void Splice(End& from, End& to) {
    for (;;) {
      if (from.in_pipe == 0) {
        const ssize_t n =
            splice(from.fd, nullptr, from.pipe[1], nullptr, kPipeBytes, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
        if (n <= 0) return EndOfReading(from, to, n);
        from.in_pipe = static_cast<size_t>(n);
      }
      const ssize_t n = splice(from.pipe[0], nullptr, to.fd, nullptr, from.in_pipe, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
      if (n < 0) return errno == EAGAIN ? ArmWrite(to) : Drop(*from.tunnel);
      from.in_pipe -= static_cast<size_t>(n);
    }
  }

  void OpenPipe(End& from) {
    if (pipe2(from.pipe, O_NONBLOCK | O_CLOEXEC) != 0) Die("pipe2");
    fcntl(from.pipe[0], F_SETPIPE_SZ, static_cast<int>(kPipeBytes));
  }

  // After a read that gave no bytes.
  void EndOfReading(End& from, End& to, ssize_t result) {
    if (result < 0 && errno == EAGAIN) {
      from.readable = false;
      return;
    }
    if (result < 0) return Drop(*from.tunnel);
    from.ended = true;
    if (to.ended) return Drop(*from.tunnel);
    shutdown(to.fd, SHUT_WR);
  }

  // False where something is left, which goes out on EPOLLOUT.
  bool Send(End& to, std::string_view bytes) {
    const ssize_t n = send(to.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) {
      Drop(*to.tunnel);
      return false;
    }
    const size_t sent = n < 0 ? 0 : static_cast<size_t>(n);
    if (sent == bytes.size()) return true;
    to.unsent.assign(bytes.substr(sent));
    ArmWrite(to);
    return false;
  }

  bool Flush(End& to) {
    if (to.unsent.empty()) return true;
    const std::string bytes = std::exchange(to.unsent, {});
    return Send(to, bytes);
  }

  void ArmWrite(End& end) {
    if (end.write_armed) return;
    end.write_armed = true;
    poller_.Modify(end.fd, kReadEvents | EPOLLOUT, &end);
  }

  void Drop(Tunnel& tunnel) {
    for (const End* end : {&tunnel.client, &tunnel.upstream})
      for (const int fd : {end->fd, end->pipe[0], end->pipe[1]})
        if (fd >= 0) close(fd);
    tunnel.dead = true;
    dead_.push_back(&tunnel);
  }

  const Endpoint origin_;
  const std::unique_ptr<char[]> buffer_;
  std::array<Listener, 3> listeners_;
  Poller poller_;
  std::vector<const Tunnel*> dead_;
};

}  // namespace
}  // namespace egret::bench

int main(int argc, char** argv) {
  using namespace egret::bench;
  const std::span<char* const> arguments(argv, static_cast<size_t>(argc));
  const auto origin = Option(arguments, "--origin");
  const auto ready_file = Option(arguments, "--ready-file");
  if (!origin || !ready_file) {
    std::fputs("usage: limit --origin ADDRESS:PORT --ready-file FILE\n", stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);  // splice knows no MSG_NOSIGNAL
  Limit limit(ParseEndpointOrDie(*origin));
  const egret::Endpoint relay = limit.Open(Kind::kRelay), connect = limit.Open(Kind::kConnect);
  WriteReadyListeners(*ready_file, {{"relay", relay}, {"connect", connect}, {"splice", limit.Open(Kind::kSplice)}});
  limit.Run();
}
