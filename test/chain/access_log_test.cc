// The log between a worker and its writer: blocks of whole lines, and a bound that drops rather than waits.
#include "source/chain/access_log.h"

#include <gtest/gtest.h>

#include <string>

#include "source/event/loop.h"

namespace egret {
namespace {

TEST(LogQueueTest, WhatDoesNotFitIsDroppedAndCountedByLine) {
  LogQueue queue;
  EXPECT_TRUE(queue.Put(std::string(LogQueue::kMaxBytes - 1, 'a'), 10));
  EXPECT_FALSE(queue.Put("bb", 3));
  EXPECT_TRUE(queue.Put("c", 1));
  EXPECT_EQ(queue.dropped(), 3u);
  EXPECT_EQ(queue.Take().size(), LogQueue::kMaxBytes - 1);
  EXPECT_TRUE(queue.Put("bb", 3));  // there is room again
}

TEST(LogQueueTest, O12_OnceClosedWhatIsLeftIsStillGivenAndNothingMoreTaken) {
  LogQueue queue;
  EXPECT_TRUE(queue.Put("a\n", 1));
  queue.Close();
  EXPECT_FALSE(queue.Put("b\n", 1));
  EXPECT_EQ(queue.Take(), "a\n");
  EXPECT_EQ(queue.Take(), "");
  EXPECT_EQ(queue.dropped(), 1u);
}

TEST(AccessLogTest, HandsOverAfterAMomentOrWhenMuchIsThereAndAtItsEnd) {
  Loop loop;
  LogQueue queue;
  {
    AccessLog log(queue);
    log.line_buffer() += "one\n";
    log.Added();
    log.line_buffer() += "two\n";
    log.Added();
    const uint64_t before = loop.now_ms();
    while (loop.now_ms() < before + 200 && loop.SkipToTimer()) loop.Turn(0);
    EXPECT_EQ(queue.Take(), "one\ntwo\n");
    log.line_buffer() += std::string(100'000, 'x') + "\n";
    log.Added();
    EXPECT_EQ(queue.Take().size(), 100'001u);
    log.line_buffer() += "last\n";
    log.Added();
  }
  EXPECT_EQ(queue.Take(), "last\n");
}

}  // namespace
}  // namespace egret
