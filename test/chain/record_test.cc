// A record's line: one JSON object on one line whatever peers put into it, written once however the record ends.
#include "source/chain/record.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "test/chain/chain_test_base.h"

namespace egret {
namespace {

constexpr std::string_view kHostile[] = {
    "plain",
    "a\r\nb\nc",
    "\x1b[31mred\x1b[0m\x07\x08\x7f",
    "quote \" back \\ slash / </script>",
    "\xff\xfe\xc3\x28\xe2\x82",
    "\xc2\x9b"
    "31m, a C1 control",
    std::string_view("nul\0nul", 7),
    "{\"event\":\"end\"}\n{\"event\":\"end\"}",
    "\xe2\x80\xa8 a line separator",
};

void FillWith(ExchangeRecord& record, std::string_view text) {
  for (std::string* member :
       {&record.request_id, &record.parent_id, &record.listener, &record.source, &record.identity, &record.method,
        &record.target, &record.path, &record.user_agent, &record.sni, &record.carries, &record.upstream,
        &record.next_hop, &record.close_reason, &record.decision.policy, &record.decision.rule, &record.decision.audit})
    *member = text;
  record.attempts = {std::string(text), std::string(text)};
  record.failure = {Side::kUpstream, Fault::kUpstreamReset};
}

TEST(LogLineTest, O06_WhateverPeersSentIsOneValidLineOfJson) {
  for (const std::string_view text : kHostile) {
    ExchangeRecord record;
    FillWith(record, text);
    std::string line;
    AppendLogLine(line, record, "end", 12);
    ASSERT_TRUE(line.ends_with("}\n"));
    line.pop_back();
    for (const char c : line) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << line;
    EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos);
    EXPECT_EQ(JsonMember(line, "event"), "end");
    EXPECT_EQ(JsonMember(line, "duration_ms"), "12");
    EXPECT_EQ(JsonMember(line, "detail"), "upstream_reset");
    EXPECT_EQ(JsonMember(line, "user_agent"), JsonMember(line, "path"));
  }
}

TEST(LogLineTest, WhatIsSafeIsToldAsItIs) {
  ExchangeRecord record;
  record.user_agent = "quote \" back \\ slash\r\n\xc3\xa9";
  record.started_unix_us = 1700000000000123;
  std::string line;
  AppendLogLine(line, record, "open", 0);
  line.pop_back();
  EXPECT_EQ(JsonMember(line, "user_agent"), record.user_agent);
  EXPECT_EQ(JsonMember(line, "time"), "2023-11-14T22:13:20.000123Z");
  EXPECT_EQ(line.find("connect_ms"), std::string::npos);  // did not happen
}

class RecordHolderTest : public ChainTestBase {};

TEST_F(RecordHolderTest, IsLiveWhileItIsHeldAndLoggedOnceHoweverItEnds) {
  {
    RecordHolder first(*worker_);
    EXPECT_EQ(worker_->live().first(), &*first);
    first.OpenTunnel();
    RecordHolder moved(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move)
    RecordHolder second(*worker_);
    EXPECT_NE(moved->request_id, second->request_id);
    second->status = 204;
    second = std::move(moved);  // what it held has ended
    EXPECT_EQ(worker_->counters().responses[2].Read(), 1u);
    second.Finish();
    second.Finish();
  }
  EXPECT_TRUE(worker_->live().empty());
  const std::vector<std::string> lines = LogLines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(JsonMember(lines[0], "event"), "open");
  EXPECT_EQ(JsonMember(lines[1], "status"), "204");
  EXPECT_EQ(JsonMember(lines[2], "kind"), "tunnel");
  EXPECT_EQ(JsonMember(lines[2], "request_id"), JsonMember(lines[0], "request_id"));
}

TEST_F(RecordHolderTest, OneWithoutAResponseIsCountedAsNone) {
  {
    RecordHolder holder(*worker_);
  }
  EXPECT_EQ(worker_->counters().responses[0].Read(), 1u);
}

}  // namespace
}  // namespace egret
