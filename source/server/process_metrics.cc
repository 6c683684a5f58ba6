#include "source/server/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <utility>

namespace egret {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

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

uint64_t ResidentBytes() {
  uint64_t size = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

MetricFamily One(std::string name, std::string help, MetricType type, double value) {
  MetricFamily family{std::move(name), std::move(help), type, {}};
  (type == MetricType::Counter ? family.metric.emplace_back().counter.value
                               : family.metric.emplace_back().gauge.value) = value;
  return family;
}

}  // namespace

std::vector<MetricFamily> ProcessMetrics(int64_t started_unix) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return {
      One("process_cpu_seconds_total", "User and system time.", MetricType::Counter,
          Seconds(usage.ru_utime) + Seconds(usage.ru_stime)),
      One("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, static_cast<double>(ResidentBytes())),
      One("process_open_fds", "Open descriptors.", MetricType::Gauge, static_cast<double>(CountOpenFds())),
      One("process_max_fds", "Most descriptors that may be open.", MetricType::Gauge,
          static_cast<double>(limit.rlim_cur)),
      One("process_start_time_seconds", "When it started, in seconds since 1970.", MetricType::Gauge,
          static_cast<double>(started_unix)),
  };
}

}  // namespace egret
