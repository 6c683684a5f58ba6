#include "source/server/process_stats.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace egret {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

uint64_t CountOpenFds() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  uint64_t entries = 0;
  while (readdir(folder) != nullptr) ++entries;
  closedir(folder);
  return entries - 3;  // ".", ".." and the folder's own
}

}  // namespace

ProcessStats ReadProcessStats() {
  ProcessStats out;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  out.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  uint64_t size = 0, resident = 0;
  if (std::ifstream("/proc/self/statm") >> size >> resident)
    out.resident_bytes = resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  out.open_fds = CountOpenFds();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) out.max_fds = limit.rlim_cur;
  return out;
}

}  // namespace egret
