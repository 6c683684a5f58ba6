#include "tools/bench/sockets.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <string>

#include "source/base/json.h"
#include "source/base/strings.h"

namespace egret::bench {
namespace {

int NewSocket(const sockaddr_storage& address) {
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) Die("socket");
  return fd;
}

}  // namespace

void Die(std::string_view what) {
  std::fprintf(stderr, "%s: %s\n", std::string(what).c_str(), std::strerror(errno));
  std::exit(1);
}

Endpoint ParseEndpointOrDie(std::string_view text) {
  const std::optional<Endpoint> endpoint = Endpoint::Parse(text);
  errno = EINVAL;
  if (!endpoint) Die(Cat("not ADDRESS:PORT: ", text));
  return *endpoint;
}

int Listen(const Endpoint& at) {
  sockaddr_storage address{};
  const uint32_t length = at.To(address);
  const int fd = NewSocket(address);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), length) != 0 || listen(fd, 4096) != 0) Die("listen");
  return fd;
}

Endpoint BoundAddress(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) Die("getsockname");
  return Endpoint::From(address);
}

Dialled Dial(const Endpoint& to) {
  sockaddr_storage address{};
  const uint32_t length = to.To(address);
  const int fd = NewSocket(address);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), length) == 0) return {.fd = fd, .connected = true};
  if (errno == EINPROGRESS) return {.fd = fd, .connected = false};
  const int why = errno;
  close(fd);
  errno = why;
  return {};
}

int DialAndWait(const Endpoint& to) {
  const Dialled dialled = Dial(to);
  if (dialled.fd < 0) Die("connect");
  pollfd connected{dialled.fd, POLLOUT, 0};
  if (!dialled.connected && (poll(&connected, 1, -1) != 1 || (connected.revents & POLLERR) != 0)) Die("connect");
  return dialled.fd;
}

Poller::Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (fd_ < 0) Die("epoll_create1");
}

Poller::~Poller() { close(fd_); }

std::span<const epoll_event> Poller::Wait(std::optional<std::chrono::nanoseconds> timeout) {
  timespec left{};
  if (timeout) left = {timeout->count() / 1'000'000'000, timeout->count() % 1'000'000'000};
  const int count =
      epoll_pwait2(fd_, ready_, static_cast<int>(std::size(ready_)), timeout ? &left : nullptr, /*ss=*/nullptr);
  if (count < 0 && errno != EINTR) Die("epoll_pwait2");
  return {ready_, count < 0 ? 0 : static_cast<size_t>(count)};
}

void Poller::Control(int operation, int fd, uint32_t events, void* owner) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = owner;
  if (epoll_ctl(fd_, operation, fd, &event) != 0) Die("epoll_ctl");
}

std::optional<std::string_view> Option(std::span<char* const> arguments, std::string_view name) {
  for (size_t i = 0; i + 1 < arguments.size(); ++i)
    if (name == arguments[i]) return arguments[i + 1];
  return std::nullopt;
}

void WriteReadyFile(const std::string& path, const std::string& json) {
  const std::string partial = Cat(path, ".partial");
  std::FILE* file = std::fopen(partial.c_str(), "w");
  if (file == nullptr) Die(partial);
  std::fputs(json.c_str(), file);
  std::fclose(file);
  if (std::rename(partial.c_str(), path.c_str()) != 0) Die(path);
}

void WriteReadyListeners(std::string_view path,
                         std::initializer_list<std::pair<std::string_view, Endpoint>> listeners) {
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Key("listeners");
  out.BeginObject();
  for (const auto& [name, address] : listeners) out.Member(name, address.ToString());
  out.EndObject();
  out.EndObject();
  WriteReadyFile(std::string(path), json);
}

}  // namespace egret::bench
