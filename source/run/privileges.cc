#include "source/run/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <vector>

#include "source/base/strings.h"
#include "source/run/syscall_filter.h"

namespace egret {
namespace {

// What the namespace's root keeps in executing a program; others keep nothing (capabilities(7)).
constexpr std::array kKept = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,           CAP_FSETID,     CAP_KILL,
                              CAP_SETGID, CAP_SETUID,       CAP_NET_BIND_SERVICE, CAP_SYS_CHROOT, CAP_SETFCAP};

}  // namespace

bool DropPrivileges() {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return false;
  for (int capability = 0;; ++capability) {
    const int held = prctl(PR_CAPBSET_READ, capability);
    if (held < 0) break;  // beyond the last that this kernel knows
    const bool kept = std::find(kKept.begin(), kKept.end(), capability) != kKept.end();
    if (held == 1 && !kept && prctl(PR_CAPBSET_DROP, capability) != 0) return false;
  }
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && FilterSyscalls();
}

void CloseNetworkSockets() {
  std::vector<int> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end; at.increment(error)) {
    const auto fd = ParseDecimal<uint16_t>(at->path().filename().native());
    int family = AF_UNIX;
    socklen_t size = sizeof family;
    if (fd && *fd > STDERR_FILENO && getsockopt(*fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family != AF_UNIX)
      found.push_back(*fd);
  }
  for (const int fd : found) close(fd);
}

}  // namespace egret
