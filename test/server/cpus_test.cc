// CPUs: the quota of either cgroup hierarchy, rounded up, where it is less than the affinity mask.
#include "source/server/cpus.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

namespace egret {
namespace {

std::string Root(const std::string& name) {
  const std::string root = testing::TempDir() + name;
  mkdir(root.c_str(), 0700);
  return root;
}

TEST(GrantedCpus, AQuotaOfHalfACpuIsOneWorker) {
  const std::string root = Root("v2");
  std::ofstream(root + "/cpu.max") << "50000 100000\n";
  EXPECT_EQ(GrantedCpus(root), 1u);
}

TEST(GrantedCpus, TheOldHierarchyCountsToo) {
  const std::string root = Root("v1");
  mkdir((root + "/cpu").c_str(), 0700);
  std::ofstream(root + "/cpu/cpu.cfs_quota_us") << "100000\n";
  std::ofstream(root + "/cpu/cpu.cfs_period_us") << "100000\n";
  EXPECT_EQ(GrantedCpus(root), 1u);
}

TEST(GrantedCpus, WithoutALimitTheMaskDecides) {
  const std::string root = Root("none");
  std::ofstream(root + "/cpu.max") << "max 100000\n";
  EXPECT_GE(GrantedCpus(root), 1u);
  EXPECT_EQ(GrantedCpus(root), GrantedCpus(root + "/absent"));
}

}  // namespace
}  // namespace egret
