#include "source/base/thread_rank.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace egret {
namespace {

int Nice() { return getpriority(PRIO_PROCESS, 0); }

TEST(ThreadRank, WhoComesAfterWorkersIsNicerOnceAndSoIsWhatItStarts) {
  const int before = Nice();
  int nice = 0, again = 0, child = 0;
  std::thread([&] {
    ComeAfterWorkers();
    nice = Nice();
    ComeAfterWorkers();
    again = Nice();
    std::thread([&] { child = Nice(); }).join();
  }).join();
  EXPECT_EQ(nice, before > 9 ? 19 : before + 10);
  EXPECT_EQ(again, nice);
  EXPECT_EQ(child, nice);
  EXPECT_EQ(Nice(), before);
}

// The timers of this process, by what the kernel tells of each: "notify: signal/tid.1234".
std::string Timers() {
  std::ostringstream text;
  text << std::ifstream("/proc/self/timers").rdbuf();
  return text.str();
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(ThreadRank, WorkInPiecesIsInterruptedByATimerOfItsThreadWhileItLasts) {
  if (access("/proc/self/timers", R_OK) != 0) GTEST_SKIP() << "this kernel does not tell of timers";
  const std::string mine = "notify: signal/tid." + std::to_string(gettid()) + "\n";
  EXPECT_EQ(Count(Timers(), mine), 0);
  {
    const WorkInPieces pieces;
    EXPECT_EQ(Count(Timers(), mine), 1);
    {
      const WorkInPieces within;
      EXPECT_EQ(Count(Timers(), mine), 1);
    }
    EXPECT_EQ(Count(Timers(), mine), 1);
  }
  EXPECT_EQ(Count(Timers(), mine), 0);
}

// The handler has run, since the CPU time of several of its turns has passed.
TEST(ThreadRank, WorkInPiecesGoesOnAndKeepsErrno) {
  std::thread([] {
    ComeAfterWorkers();
    const WorkInPieces pieces;
    struct sigaction now{};
    ASSERT_EQ(sigaction(SIGURG, nullptr, &now), 0);
    EXPECT_NE(now.sa_flags & SA_RESTART, 0);
    errno = ENOTTY;
    timespec used{};
    while (used.tv_sec == 0 && used.tv_nsec < 5'000'000) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    const int after = errno;
    EXPECT_EQ(after, ENOTTY);
  }).join();
}

TEST(ThreadRank, WhoWakesAtOnceKeepsItsPriority) {
  const int before = Nice();
  int nice = -1;
  std::thread([&] {
    WakeAtOnce();
    nice = Nice();
  }).join();
  EXPECT_EQ(nice, before);
}

}  // namespace
}  // namespace egret
