#include "source/server/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace egret {
namespace {

// Quota over period; 0 where there is no limit.
uint32_t Granted(long quota, long period) {
  if (quota <= 0 || period <= 0) return 0;
  return static_cast<uint32_t>((quota + period - 1) / period);
}

uint32_t QuotaV2(const std::string& root) {
  std::ifstream file(root + "/cpu.max");
  std::string quota;
  long period = 0;
  if (!(file >> quota >> period) || quota == "max") return 0;
  return Granted(std::atol(quota.c_str()), period);
}

uint32_t QuotaV1(const std::string& root) {
  std::ifstream quota_file(root + "/cpu/cpu.cfs_quota_us"), period_file(root + "/cpu/cpu.cfs_period_us");
  long quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period)) return 0;
  return Granted(quota, period);
}

}  // namespace

uint32_t GrantedCpus(const std::string& cgroup_root) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int mask = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  auto cpus = static_cast<uint32_t>(std::max(mask, 1));
  for (const uint32_t quota : {QuotaV2(cgroup_root), QuotaV1(cgroup_root)})
    if (quota > 0) cpus = std::min(cpus, quota);
  return std::max(cpus, uint32_t{1});
}

}  // namespace egret
