// Connected TCP sockets over loopback, listeners of which the accept queue is full, and a count of open descriptors.
#pragma once

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <utility>

#include "source/base/check.h"
#include "source/base/ip.h"

namespace egret {

inline Endpoint LocalOf(int fd) {
  CHECK(fd >= 0);
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return Endpoint::From(address);
}

inline IpAddress Loopback4() { return IpAddress::V4(0x7f000001); }
inline IpAddress Loopback6() { return IpAddress::Parse("::1").value(); }

// A listening socket on `where`, or -1 with errno.
inline int ListenOn(const Endpoint& where, int backlog = 128) {
  const int fd = socket(where.address.v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  CHECK(fd >= 0);
  const int on = 1;
  if (!where.address.v4()) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  sockaddr_storage address;
  const socklen_t size = where.To(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd, backlog) == 0) return fd;
  close(fd);
  return -1;
}

// A blocking connect; the descriptor is non-blocking afterwards only where asked.
inline int ConnectTo(const Endpoint& where, bool non_blocking = false) {
  const int fd = socket(where.address.v4() ? AF_INET : AF_INET6,
                        SOCK_STREAM | SOCK_CLOEXEC | (non_blocking ? SOCK_NONBLOCK : 0), 0);
  CHECK(fd >= 0);
  sockaddr_storage address;
  const socklen_t size = where.To(address);
  CHECK(connect(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 || non_blocking);
  return fd;
}

// Both ends of a TCP connection, non-blocking.
inline std::pair<int, int> TcpPair() {
  const int listener = ListenOn({Loopback4(), 0});
  const int a = ConnectTo(LocalOf(listener), true);
  int b = -1;
  while (b < 0) b = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  close(listener);
  return {a, b};
}

inline size_t OpenDescriptors() {
  size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  CHECK(directory != nullptr);
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

}  // namespace egret
