// How many CPUs this process may use.
#pragma once

#include <cstdint>
#include <string>

namespace egret {

// The CPUs of its affinity mask, or what the cgroup's quota grants where that is less, rounded up; at least 1.
// `cgroup_root` is where the hierarchy is mounted.
uint32_t GrantedCpus(const std::string& cgroup_root = "/sys/fs/cgroup");

}  // namespace egret
