#include "source/run/obstacle.h"

#include <errno.h>

#include <cstring>
#include <fstream>

#include "source/base/strings.h"

namespace egret {
namespace {

bool Says(const char* file, std::string_view value) {
  std::ifstream in(file);
  std::string word;
  return in >> word && word == value;
}

std::string Cause(int error) {
  if (Says("/proc/sys/user/max_user_namespaces", "0"))
    return "user namespaces are switched off; sysctl user.max_user_namespaces=10000 allows them";
  if (Says("/proc/sys/kernel/unprivileged_userns_clone", "0"))
    return "only root may make user namespaces; sysctl kernel.unprivileged_userns_clone=1 allows them to all";
  if (Says("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
    return "AppArmor allows user namespaces to programs with a profile alone; sysctl "
           "kernel.apparmor_restrict_unprivileged_userns=0, or a profile with `userns,` for egret, allows them";
  if (error == ENOSPC || error == EUSERS) return "there are too many namespaces already";
  return "a container often forbids user namespaces (seccomp); start it with a profile that allows clone() with "
         "CLONE_NEWUSER";
}

}  // namespace

std::string WhyNoFence(int error) {
  return Cat(std::strerror(error), ": ", Cause(error),
             ". Or --no-fence: variables only, which a program is free not to look at");
}

}  // namespace egret
