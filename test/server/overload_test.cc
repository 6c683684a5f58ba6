// When memory counts as scarce, and where the figures come from.
#include "source/server/overload.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "source/server/memory.h"

namespace egret {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;

MemoryReading Used(uint64_t used, uint64_t limit = 1000 * kMiB) { return {used / 2, used, limit}; }

TEST(Overload, ALevelIsLeftOnlyWellBelowItsThreshold) {
  OverloadMonitor monitor({MemoryThreshold{.percent = 80}, MemoryThreshold{.percent = 90}});
  EXPECT_EQ(monitor.Judge(Used(799 * kMiB)), Overload::kNone);
  EXPECT_EQ(monitor.Judge(Used(800 * kMiB)), Overload::kSoft);
  EXPECT_EQ(monitor.Judge(Used(770 * kMiB)), Overload::kSoft);
  EXPECT_EQ(monitor.Judge(Used(900 * kMiB)), Overload::kHard);
  EXPECT_EQ(monitor.Judge(Used(860 * kMiB)), Overload::kHard);
  EXPECT_EQ(monitor.Judge(Used(850 * kMiB)), Overload::kSoft);
  EXPECT_EQ(monitor.Judge(Used(759 * kMiB)), Overload::kNone);
  EXPECT_EQ(monitor.Judge(Used(790 * kMiB)), Overload::kNone);
}

TEST(Overload, EachThresholdStandsAlone) {
  OverloadMonitor hard({std::nullopt, MemoryThreshold{.percent = 90}});
  EXPECT_EQ(hard.Judge(Used(899 * kMiB)), Overload::kNone);
  EXPECT_EQ(hard.Judge(Used(900 * kMiB)), Overload::kHard);
  EXPECT_EQ(hard.Judge(Used(800 * kMiB)), Overload::kNone);
  OverloadMonitor soft({MemoryThreshold{.percent = 50}, std::nullopt});
  EXPECT_EQ(soft.Judge(Used(1000 * kMiB)), Overload::kSoft);
}

TEST(Overload, BytesAreOfTheProcessAndPercentsOfTheGroup) {
  OverloadMonitor bytes({MemoryThreshold{.bytes = 100 * kMiB}, std::nullopt});
  EXPECT_EQ(bytes.Judge({99 * kMiB, 900 * kMiB, 1000 * kMiB}), Overload::kNone);
  EXPECT_EQ(bytes.Judge({100 * kMiB, 900 * kMiB, 0}), Overload::kSoft);
  OverloadMonitor percent({MemoryThreshold{.percent = 50}, std::nullopt});
  EXPECT_EQ(percent.Judge({900 * kMiB, 900 * kMiB, 0}), Overload::kNone) << "of an unknown limit";
}

class MemoryReaderTest : public testing::Test {
 protected:
  ~MemoryReaderTest() override { std::filesystem::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    const std::filesystem::path file = root_ + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  MemoryReading Read() {
    Write("/proc/self/statm", "5000 300 100 1 0 500 0\n");
    Write("/proc/meminfo", "MemTotal:        2048 kB\nMemFree:            1 kB\n");
    const auto reading = MemoryReader(root_).Read();
    EXPECT_TRUE(reading);
    return reading.value_or(MemoryReading{});
  }

  std::string root_ = testing::TempDir() + "memory-" + std::to_string(getpid());
  const uint64_t resident_ = 300 * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
};

TEST_F(MemoryReaderTest, WithoutALimitTheProcessAndTheMachineCount) {
  Write("/proc/self/cgroup", "0::/\n");
  Write("/sys/fs/cgroup/memory.max", "max\n");
  const MemoryReading reading = Read();
  EXPECT_EQ(reading.resident_bytes, resident_);
  EXPECT_EQ(reading.used_bytes, resident_);
  EXPECT_EQ(reading.limit_bytes, 2048u * 1024);
}

TEST_F(MemoryReaderTest, OfVersionTwoTheLowestLimitOnTheWayUpCounts) {
  Write("/proc/self/cgroup", "0::/pods/one\n");
  Write("/sys/fs/cgroup/pods/one/memory.max", "max\n");
  Write("/sys/fs/cgroup/pods/memory.max", "1000000\n");
  Write("/sys/fs/cgroup/pods/memory.current", "700000\n");
  Write("/sys/fs/cgroup/pods/memory.stat", "anon 1\nfile 200000\ninactive_file 150000\n");
  const MemoryReading reading = Read();
  EXPECT_EQ(reading.limit_bytes, 1000000u);
  EXPECT_EQ(reading.used_bytes, 550000u) << "files that can be dropped do not count";
  EXPECT_EQ(reading.resident_bytes, resident_);
}

TEST_F(MemoryReaderTest, OfVersionOneTheGroupOrWhatIsMountedInItsPlaceCounts) {
  Write("/proc/self/cgroup", "5:cpu,cpuacct:/docker/a\n4:memory:/docker/a\n0::/\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "500000\n");
  Write("/sys/fs/cgroup/memory/memory.usage_in_bytes", "400000\n");
  Write("/sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 100000\n");
  EXPECT_EQ(Read().limit_bytes, 500000u);
  EXPECT_EQ(Read().used_bytes, 300000u);
}

TEST_F(MemoryReaderTest, TheLargeNumberOfVersionOneIsNoLimit) {
  Write("/proc/self/cgroup", "4:memory:/\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(Read().limit_bytes, 2048u * 1024);
}

TEST(MemoryReader, ReadsThisMachine) {
  const auto reading = MemoryReader().Read();
  ASSERT_TRUE(reading);
  EXPECT_GT(reading->resident_bytes, kMiB);
  EXPECT_GT(reading->limit_bytes, kMiB);
}

TEST(MemoryReader, SaysNothingWhereNothingCanBeRead) { EXPECT_FALSE(MemoryReader("/nonexistent").Read()); }

}  // namespace
}  // namespace egret
