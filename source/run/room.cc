#include "source/run/room.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <utility>

#include "source/base/ip.h"
#include "source/base/strings.h"
#include "source/io/listen.h"
#include "source/run/mounts.h"
#include "source/run/obstacle.h"
#include "source/run/turning.h"

namespace egret {
namespace {

bool BringUpLoopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  close(fd);
  return up;
}

Problem Missing(std::string_view what) { return Problem{Cat(what, ": ", WhyNoFence(errno))}; }

// Of the loopback address of a family, on any free port; nothing where the family is not there.
std::optional<OwnedFd> OpenDatagrams(const char* text) {
  sockaddr_storage raw{};
  const uint32_t size = Endpoint::Parse(text)->To(raw);
  OwnedFd fd(socket(raw.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd.get() < 0 || bind(fd.get(), reinterpret_cast<const sockaddr*>(&raw), size) != 0) return std::nullopt;
  return fd;
}

uint16_t PortOf(int fd) {
  sockaddr_storage raw{};
  socklen_t size = sizeof raw;
  return getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &size) == 0 ? Endpoint::From(raw).port : uint16_t{0};
}

// On any free port, of either family where there are two.
Result<ListenSocket, std::string> ListenAnywhere() {
  auto listening = ListenSocket::Open(*ListenAddress::Parse("[::]:0"), {});
  return listening ? std::move(listening) : ListenSocket::Open(*ListenAddress::Parse("0.0.0.0:0"), {});
}

Door DoorAt(const char* name, const ListenSocket& socket) {
  return {name, OwnedFd(fcntl(socket.fd(), F_DUPFD_CLOEXEC, 0))};
}

// Adds nothing where something is missing, and says what.
std::string OpenDoorsForOthers(std::vector<Door>& doors) {
  const auto listening = ListenAnywhere(), dns = ListenAnywhere();
  std::optional<OwnedFd> dns4 = OpenDatagrams("127.0.0.1:0"), dns6 = OpenDatagrams("[::1]:0");
  if (!listening || !dns || !dns4) return "no sockets";
  const TurnTo to{.tcp = listening->bound().ip.port,
                  .dns4 = PortOf(dns4->get()),
                  .dns6 = PortOf(dns6 ? dns6->get() : dns4->get()),
                  .dns = dns->bound().ip.port};
  if (std::string why = TurnTraffic(to); !why.empty()) return why;
  HangResolverFile();
  doors.push_back(DoorAt(kTransparentDoor, *listening));
  doors.push_back(DoorAt(kDnsDoor, *dns));
  doors.push_back({kDns4Door, std::move(*dns4)});
  if (dns6) doors.push_back({kDns6Door, std::move(*dns6)});
  return {};
}

}  // namespace

Result<Room, Problem> FurnishRoom() {
  if (!HangMounts()) return Missing("no mounts of its own");
  if (!BringUpLoopback()) return Missing("no network of its own");
  Result<Room, Problem> room = OpenProxyDoor();
  if (room) room->lacks = OpenDoorsForOthers(room->doors);
  return room;
}

Result<Room, Problem> OpenProxyDoor() {
  Result<ListenSocket, std::string> proxy = ListenSocket::Open(*ListenAddress::Parse("127.0.0.1:0"), {});
  if (!proxy) return Problem{proxy.error()};
  Room room{.proxy = proxy->bound().ToString(), .doors = {}, .lacks = {}};
  room.doors.push_back(DoorAt(kProxyDoor, *proxy));
  return room;
}

}  // namespace egret
