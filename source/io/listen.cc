#include "source/io/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "source/base/strings.h"
#include "source/io/port_owner.h"

namespace egret {
namespace {

constexpr std::string_view kUnixScheme = "unix:";

// The kernel's form of an address.
struct RawAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

RawAddress ToRaw(const ListenAddress& address) {
  RawAddress raw;
  if (address.path.empty()) {
    raw.size = address.ip.To(raw.storage);
    return raw;
  }
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, address.path.data(), address.path.size());
  std::memcpy(&raw.storage, &un, sizeof un);
  raw.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.path.size() + 1);
  return raw;
}

std::optional<ListenAddress> BoundTo(int fd) {
  RawAddress raw;
  if (getsockname(fd, raw.get(), &raw.size) != 0) return std::nullopt;
  ListenAddress bound;
  if (raw.storage.ss_family != AF_UNIX) {
    bound.ip = Endpoint::From(raw.storage);
    if (raw.storage.ss_family == AF_INET6 && bound.ip.address.v4()) return std::nullopt;
    return bound;
  }
  sockaddr_un un;
  std::memcpy(&un, &raw.storage, sizeof un);
  if (raw.size > offsetof(sockaddr_un, sun_path))
    bound.path.assign(un.sun_path, strnlen(un.sun_path, raw.size - offsetof(sockaddr_un, sun_path)));
  return bound;
}

// A socket file whose listener died stays behind. Only one that refuses is removed.
bool RemoveStale(const ListenAddress& address) {
  struct stat info;
  if (lstat(address.path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  RawAddress raw = ToRaw(address);
  const bool refused = connect(probe, raw.get(), raw.size) != 0 && errno == ECONNREFUSED;
  close(probe);
  return refused && unlink(address.path.c_str()) == 0;
}

// One bit of the socket, set by either family's option; a socket of [::] takes IPv4 with it too.
bool AllowForeign(int fd, bool v4) {
  const int on = 1;
  return setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, &on, sizeof on) == 0;
}

int BindTo(int fd, const ListenAddress& address, const ListenOptions& options) {
  const int on = 1;
  RawAddress raw = ToRaw(address);
  if (!address.path.empty()) {
    if (bind(fd, raw.get(), raw.size) != 0) {
      if (errno != EADDRINUSE) return errno;
      if (!RemoveStale(address)) return EADDRINUSE;
      if (bind(fd, raw.get(), raw.size) != 0) return errno;
    }
    return chmod(address.path.c_str(), options.path_mode) == 0 ? 0 : errno;  // before listen(): nobody got in
  }
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // what is accepted inherits it
  if (options.transparent && !AllowForeign(fd, address.ip.address.v4())) return errno;
  if (options.reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) return errno;
  if (!address.ip.address.v4()) {
    const int only = options.v6_only ? 1 : 0;
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0) return errno;
  }
  return bind(fd, raw.get(), raw.size) == 0 ? 0 : errno;
}

std::string Explain(const ListenAddress& address, int error) {
  std::string text = Cat("cannot listen on ", address.ToString(), ": ", strerror(error));
  if (error == EADDRINUSE && address.path.empty()) {
    const std::string owner = WhoListens(address.ip.port);
    if (!owner.empty()) Append(text, "; the port is held by ", owner);
    text += "; end what listens there, or choose another address";
  } else if (error == EACCES && address.path.empty() && address.ip.port < 1024) {
    text += "; a port below 1024 needs CAP_NET_BIND_SERVICE";
  } else if (error == EPERM) {
    text += "; a listener with transparent: TPROXY needs CAP_NET_ADMIN";
  } else if (error == EADDRNOTAVAIL) {
    text += "; no interface has this address";
  }
  return text;
}

}  // namespace

std::optional<ListenAddress> ListenAddress::Parse(std::string_view text) {
  ListenAddress out;
  if (text.starts_with(kUnixScheme)) {
    out.path = text.substr(kUnixScheme.size());
    if (out.path.empty() || out.path.size() >= sizeof(sockaddr_un::sun_path)) return std::nullopt;
    if (out.path.find('\0') != std::string::npos) return std::nullopt;
    return out;
  }
  const auto ip = Endpoint::Parse(text);
  if (!ip) return std::nullopt;
  out.ip = *ip;
  return out;
}

std::string ListenAddress::ToString() const { return path.empty() ? ip.ToString() : Cat(kUnixScheme, path); }

ListenSocket::ListenSocket(int fd, ListenAddress bound) : fd_(fd), bound_(std::move(bound)) {}
ListenSocket::~ListenSocket() {
  if (fd_ >= 0) close(fd_);
}
ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), bound_(std::move(other.bound_)) {}
ListenSocket& ListenSocket::operator=(ListenSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(bound_, other.bound_);
  return *this;
}

Result<ListenSocket, std::string> ListenSocket::Open(const ListenAddress& address, const ListenOptions& options) {
  const int family = !address.path.empty() ? AF_UNIX : address.ip.address.v4() ? AF_INET : AF_INET6;
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Explain(address, errno);
  ListenSocket out(fd, address);
  if (const int error = BindTo(fd, address, options); error != 0) return Explain(address, error);
  if (listen(fd, options.backlog) != 0) return Explain(address, errno);
  if (address.path.empty()) {
    const auto bound = BoundTo(fd);
    if (!bound) return Explain(address, errno);
    out.bound_ = *bound;
  }
  return out;
}

Result<ListenSocket, std::string> ListenSocket::Adopt(int fd) {
  ListenSocket out(fd, {});
  int listening = 0;
  socklen_t size = sizeof listening;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
    return Cat("descriptor ", fd, " is not a listening socket");
  const auto bound = BoundTo(fd);
  if (!bound) return Cat("descriptor ", fd, ": ", strerror(errno));
  out.bound_ = *bound;
  return out;
}

}  // namespace egret
