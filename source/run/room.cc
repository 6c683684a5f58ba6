#include "source/run/room.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "source/base/strings.h"
#include "source/run/obstacle.h"

namespace egret {
namespace {

// Where name services of the host are asked past the network; they would resolve for the command.
constexpr const char* kNameServices[] = {"/run/systemd/resolve", "/run/nscd"};

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

bool HangMounts() {
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return false;
  // Where parts of /proc are covered, as in many containers, a whole one is not to be had: then it shows processes that
  // cannot be reached.
  mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  for (const char* const path : kNameServices)
    if (mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=0,mode=0555") != 0 &&
        errno != ENOENT)
      return false;
  return true;
}

Problem Missing(std::string_view what) { return Problem{Cat(what, ": ", WhyNoFence(errno))}; }

}  // namespace

Result<Room, Problem> FurnishRoom() {
  if (!HangMounts()) return Missing("no mounts of its own");
  if (!BringUpLoopback()) return Missing("no network of its own");
  return OpenDoors();
}

Result<Room, Problem> OpenDoors() {
  Result<ListenSocket, std::string> proxy = ListenSocket::Open(*ListenAddress::Parse("127.0.0.1:0"), {});
  if (!proxy) return Problem{proxy.error()};
  return Room{std::move(*proxy)};
}

}  // namespace egret
