#include "source/base/thread_rank.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

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
