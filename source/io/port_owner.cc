#include "source/io/port_owner.h"

#include <dirent.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <memory>
#include <sstream>
#include <string_view>
#include <vector>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::string_view kListening = "0A";  // TCP_LISTEN, as /proc/net/tcp prints it

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

std::vector<std::string> Entries(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory.get())) names.emplace_back(entry->d_name);
  return names;
}

// "socket:[12345]" of every socket in `table` that listens on the port.
void AddSockets(const std::string& table, uint16_t port, std::vector<std::string>& sockets) {
  std::ifstream file(table);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream columns(line);
    std::string slot, local, remote, state, skip, inode;
    columns >> slot >> local >> remote >> state;
    for (int i = 0; i < 5; ++i) columns >> skip;
    columns >> inode;
    const size_t colon = local.rfind(':');
    if (state != kListening || colon == std::string::npos) continue;
    uint16_t at = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), at, 16);
    if (at == port && !inode.empty()) sockets.push_back(Cat("socket:[", inode, ']'));
  }
}

bool Holds(const std::string& process, const std::vector<std::string>& sockets) {
  const std::string descriptors = Cat(process, "/fd");
  for (const std::string& name : Entries(descriptors)) {
    char target[64];
    const ssize_t size = readlink(Cat(descriptors, '/', name).c_str(), target, sizeof target);
    if (size <= 0) continue;
    for (const std::string& socket : sockets)
      if (std::string_view(target, static_cast<size_t>(size)) == socket) return true;
  }
  return false;
}

}  // namespace

std::string WhoListens(uint16_t port) {
  std::vector<std::string> sockets;
  AddSockets("/proc/net/tcp", port, sockets);
  AddSockets("/proc/net/tcp6", port, sockets);
  if (sockets.empty()) return {};
  for (const std::string& pid : Entries("/proc")) {
    const std::string process = Cat("/proc/", pid);
    if (!ParseDecimal<uint32_t>(pid) || !Holds(process, sockets)) continue;
    std::string name;
    std::ifstream comm(Cat(process, "/comm"));
    std::getline(comm, name);
    return Cat(name, " (pid ", pid, ')');
  }
  return {};
}

}  // namespace egret
