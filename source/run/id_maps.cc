#include "source/run/id_maps.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "source/base/strings.h"

namespace egret {
namespace {

// In one write, as the kernel wants it.
bool Put(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return written;
}

std::string Read(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::string IdentityOf(std::string_view map) {
  std::istringstream in{std::string(map)};
  std::string out;
  for (uint64_t inside, outside, count; in >> inside >> outside >> count;)
    Append(out, inside, " ", inside, " ", count, "\n");
  return out;
}

bool MapIds(pid_t pid) {
  const std::string folder = Cat("/proc/", pid);
  if (geteuid() == 0 && Put(folder + "/uid_map", IdentityOf(Read("/proc/self/uid_map"))))
    return Put(folder + "/gid_map", IdentityOf(Read("/proc/self/gid_map")));
  // Without it, a group that forbids something could be got rid of (user_namespaces(7)).
  return Put(folder + "/setgroups", "deny") && Put(folder + "/uid_map", Cat(geteuid(), " ", geteuid(), " 1\n")) &&
         Put(folder + "/gid_map", Cat(getegid(), " ", getegid(), " 1\n"));
}

}  // namespace egret
