#include "source/server/memory.h"

#include <unistd.h>

#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kMostSensible = uint64_t{1} << 60;  // version 1 writes "no limit" as a number close to 2^63

// The number that the file holds; kNoLimit for "max".
std::optional<uint64_t> NumberIn(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  if (!(file >> word)) return std::nullopt;
  if (word == "max") return kNoLimit;
  char* end = nullptr;
  const uint64_t value = std::strtoull(word.c_str(), &end, 10);
  return *end == '\0' ? std::optional<uint64_t>(value) : std::nullopt;
}

// The number after the word at the start of a line; 0 where there is none.
uint64_t NumberAfter(const std::string& path, std::string_view word) {
  std::ifstream file(path);
  std::string key, rest;
  uint64_t value = 0;
  while (file >> key) {
    if (key == word) return file >> value ? value : 0;
    std::getline(file, rest);
  }
  return 0;
}

bool HasController(std::string_view list, std::string_view wanted) {
  while (!list.empty())
    if (SplitFirst(list, ',') == wanted) return true;
  return false;
}

}  // namespace

MemoryReader::MemoryReader(std::string root) : root_(std::move(root)) {
  std::ifstream groups(root_ + "/proc/self/cgroup");  // lines of id:controllers:path
  std::string line, version2, version1;
  while (std::getline(groups, line)) {
    std::string_view rest = line;
    SplitFirst(rest, ':');
    const std::string_view controllers = SplitFirst(rest, ':');
    if (controllers.empty()) version2 = rest;
    if (HasController(controllers, "memory")) version1 = rest;
  }
  if (!version1.empty()) FindVersion1(version1);
  if (kind_ == Kind::kNone && !version2.empty()) FindVersion2(version2);
}

// Every group above counts as well; the lowest limit is the one that will be met.
void MemoryReader::FindVersion2(const std::string& path) {
  const std::string mount = root_ + "/sys/fs/cgroup";
  uint64_t lowest = kNoLimit;
  for (std::string at = path == "/" ? "" : path;; at.resize(at.rfind('/'))) {
    const std::optional<uint64_t> limit = NumberIn(Cat(mount, at, "/memory.max"));
    if (limit && *limit < lowest) {
      lowest = *limit;
      group_ = mount + at;
    }
    if (at.empty() || at.find('/') == std::string::npos) break;
  }
  if (lowest == kNoLimit) return;
  kind_ = Kind::kVersion2;
  limit_bytes_ = lowest;
}

// Inside a container its own group is often what is mounted at the top.
void MemoryReader::FindVersion1(const std::string& path) {
  const std::string mount = root_ + "/sys/fs/cgroup/memory";
  for (const std::string& folder : {mount + path, mount}) {
    const std::optional<uint64_t> limit = NumberIn(folder + "/memory.limit_in_bytes");
    if (!limit || *limit >= kMostSensible) continue;
    kind_ = Kind::kVersion1;
    group_ = folder;
    limit_bytes_ = *limit;
    return;
  }
}

std::optional<MemoryReading> MemoryReader::Read() const {
  MemoryReading out;
  uint64_t size = 0, resident = 0;
  if (!(std::ifstream(root_ + "/proc/self/statm") >> size >> resident)) return std::nullopt;
  out.resident_bytes = resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  out.used_bytes = out.resident_bytes;
  out.limit_bytes = limit_bytes_;
  if (kind_ == Kind::kNone) {
    out.limit_bytes = NumberAfter(root_ + "/proc/meminfo", "MemTotal:") * 1024;
    return out;
  }
  const bool second = kind_ == Kind::kVersion2;
  const std::optional<uint64_t> used = NumberIn(group_ + (second ? "/memory.current" : "/memory.usage_in_bytes"));
  if (!used) return out;
  const uint64_t files = NumberAfter(group_ + "/memory.stat", second ? "inactive_file" : "total_inactive_file");
  out.used_bytes = *used > files ? *used - files : 0;
  return out;
}

}  // namespace egret
