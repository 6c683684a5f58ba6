// The log between a worker and its writer: blocks of whole lines, and a bound that drops rather than waits.
#include "source/chain/access_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "source/event/loop.h"

namespace egret {
namespace {

TEST(LogQueueTest, WhatDoesNotFitIsDroppedAndCountedByLine) {
  LogQueue queue;
  EXPECT_TRUE(queue.Put({0, std::string(LogQueue::kMaxBytes - 1, 'a')}, 10));
  EXPECT_FALSE(queue.Put({0, "bb"}, 3));
  EXPECT_TRUE(queue.Put({0, "c"}, 1));
  EXPECT_EQ(queue.dropped(), 3u);
  EXPECT_EQ(queue.Take().text.size(), LogQueue::kMaxBytes - 1);
  EXPECT_TRUE(queue.Put({0, "bb"}, 3));  // there is room again
}

TEST(LogQueueTest, O12_OnceClosedWhatIsLeftIsStillGivenAndNothingMoreTaken) {
  LogQueue queue;
  EXPECT_TRUE(queue.Put({0, "a\n"}, 1));
  queue.Close();
  EXPECT_FALSE(queue.Put({0, "b\n"}, 1));
  EXPECT_EQ(queue.Take().text, "a\n");
  EXPECT_EQ(queue.Take().text, "");
  EXPECT_EQ(queue.dropped(), 1u);
}

std::vector<std::optional<LogFormat>> JsonAndText() {
  std::vector<std::optional<LogFormat>> formats(2);
  formats[1] = *LogFormat::Compile("%REQ(:METHOD)% %RESPONSE_CODE%");
  return formats;
}

TEST(AccessLogTest, HandsOverAfterAMomentOrWhenMuchIsThereAndAtItsEnd) {
  Loop loop;
  LogQueue queue(JsonAndText());
  ExchangeRecord record;
  record.method = "GET";
  record.status = 200;
  {
    AccessLog log(queue);
    log.Write(record, "end", 1);
    record.status = 404;
    log.Write(record, "end", 1);
    const uint64_t before = loop.now_ms();
    while (loop.now_ms() < before + 200 && loop.SkipToTimer()) loop.Turn(0);
    const LogQueue::Block json = queue.Take(), text = queue.Take();
    EXPECT_EQ(std::count(json.text.begin(), json.text.end(), '\n'), 2);
    EXPECT_EQ(text.format, 1u);
    EXPECT_EQ(text.text, "GET 200\nGET 404\n");
    record.user_agent.assign(100'000, 'x');
    log.Write(record, "end", 1);
    EXPECT_GT(queue.Take().text.size(), 100'000u);  // at once, and only the format that is full
  }
  EXPECT_EQ(queue.Take().text, "GET 404\n");
}

TEST(AccessLogTest, TextTellsOfWhatEndedJsonAlsoOfATunnelThatOpens) {
  Loop loop;
  LogQueue queue(JsonAndText());
  {
    AccessLog log(queue);
    log.Write(ExchangeRecord(), "open", 1);
  }
  EXPECT_EQ(queue.Take().format, 0u);
  queue.Close();
  EXPECT_EQ(queue.Take().text, "");
}

}  // namespace
}  // namespace egret
