// The origin of relayed tunnels: speaks nothing that a proxy could take for HTTP or TLS, so what it measures is the
// relay. A request is a byte 0x01, a decimal number and a line end; the answer is that many bytes.
//
//   origin --ports N --ready-file FILE
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "source/base/ip.h"
#include "source/base/json.h"
#include "source/base/strings.h"
#include "tools/bench/sockets.h"

namespace egret::bench {
namespace {

constexpr size_t kBufferBytes = size_t{256} * 1024;
constexpr size_t kMaxRequestBytes = 32;

// What an event points to: a listening socket, or a connection and what it is still owed.
struct Socket {
  int fd = -1;
  bool listens = false;
  std::string request;  // of which the line end has not come
  uint64_t owed = 0;
};

class Origin {
 public:
  Origin() : zeros_(std::make_unique<char[]>(kBufferBytes)) {}

  Endpoint Open() {
    Socket& socket = listeners_.emplace_back();
    socket.fd = Listen({*IpAddress::Parse("127.0.0.1"), 0});
    socket.listens = true;
    poller_.Add(socket.fd, EPOLLIN, &socket);
    return BoundAddress(socket.fd);
  }

  [[noreturn]] void Run() {
    for (;;) {
      for (const epoll_event& event : poller_.Wait()) {
        auto& socket = *static_cast<Socket*>(event.data.ptr);
        if (socket.listens) {
          Accept(socket.fd);
        } else if (!Serve(socket)) {
          close(socket.fd);
          delete &socket;  // one event a socket and turn
        }
      }
    }
  }

 private:
  void Accept(int listener) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto* socket = new Socket;
    socket->fd = fd;
    poller_.Add(fd, EPOLLIN | EPOLLOUT | EPOLLET, socket);
  }

  // False once the connection is over.
  bool Serve(Socket& socket) {
    for (;;) {
      if (!Pay(socket)) return errno == EAGAIN;
      char bytes[kMaxRequestBytes];
      const ssize_t n = recv(socket.fd, bytes, sizeof bytes, 0);
      if (n <= 0) return n < 0 && errno == EAGAIN;
      socket.request.append(bytes, static_cast<size_t>(n));
      const size_t end = socket.request.find('\n');
      if (end == std::string::npos) {
        if (socket.request.size() > kMaxRequestBytes) return false;
        continue;
      }
      const auto asked = ParseDecimal<uint64_t>(std::string_view(socket.request).substr(1, end - 1));
      if (!asked) return false;
      socket.owed = *asked;
      socket.request.clear();
    }
  }

  // Sends what is owed. False where the socket takes no more, or broke; errno says which.
  bool Pay(Socket& socket) {
    while (socket.owed > 0) {
      const ssize_t n = send(socket.fd, zeros_.get(), std::min<uint64_t>(socket.owed, kBufferBytes), MSG_NOSIGNAL);
      if (n < 0) return false;
      socket.owed -= static_cast<uint64_t>(n);
    }
    return true;
  }

  const std::unique_ptr<char[]> zeros_;
  std::deque<Socket> listeners_;
  Poller poller_;
};

}  // namespace
}  // namespace egret::bench

int main(int argc, char** argv) {
  using namespace egret::bench;
  const std::span<char* const> arguments(argv, static_cast<size_t>(argc));
  const auto ports = egret::ParseDecimal<size_t>(Option(arguments, "--ports").value_or("1"));
  const auto ready_file = Option(arguments, "--ready-file");
  if (!ports || !ready_file) {
    std::fputs("usage: origin --ports N --ready-file FILE\n", stderr);
    return 2;
  }
  Origin origin;
  std::string json;
  egret::JsonWriter out(json);
  out.BeginObject();
  out.Key("listeners");
  out.BeginArray();
  for (size_t i = 0; i < *ports; ++i) out.String(origin.Open().ToString());
  out.EndArray();
  out.EndObject();
  WriteReadyFile(std::string(*ready_file), json);
  origin.Run();
}
