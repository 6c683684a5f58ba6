#include "source/io/original_destination.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

namespace egret {
namespace {

// SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST; their headers do not go together with netinet/in.h.
constexpr int kOriginalDestination = 80;

std::optional<Endpoint> AskConntrack(int fd, int level) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockopt(fd, level, kOriginalDestination, &address, &size) != 0) return std::nullopt;
  return Endpoint::From(address);
}

}  // namespace

Endpoint OriginalDestination(int fd, Transparent mode) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  const Endpoint local = Endpoint::From(address);
  if (mode != Transparent::kRedirect) return local;
  // An IPv4 connection on a socket of [::] is one of IPv4 to the kernel's table too.
  return AskConntrack(fd, local.address.v4() ? IPPROTO_IP : IPPROTO_IPV6).value_or(local);
}

}  // namespace egret
