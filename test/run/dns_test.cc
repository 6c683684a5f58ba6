// What DNS says behind the fence, byte by byte.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "source/base/ip.h"
#include "source/base/strings.h"
#include "source/run/dns_answer.h"
#include "source/run/stand_ins.h"

namespace egret {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kA = "\0\1"sv, kAaaa = "\0\34"sv, kMx = "\0\17"sv;
constexpr std::string_view kIn = "\0\1"sv;

// `labels` as they stand in a message, without the end.
std::string Query(std::string_view labels, std::string_view type, std::string_view flags = "\1\0"sv) {
  return Cat("id", flags, "\0\1\0\0\0\0\0\0"sv, labels, "\0"sv, type, kIn);
}

int CodeOf(const std::string& reply) { return reply.size() < 4 ? -1 : reply[3] & 15; }

TEST(DnsAnswer, AddressesStandForNames) {
  StandIns names;
  const std::string reply = AnswerDns(Query("\1a\4test", kA), names);
  EXPECT_EQ(reply,
            Cat("id\x85\x80\0\1\0\1\0\0\0\0\1a\4test\0\0\1\0\1"sv, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc6\x12\0\1"sv));
  EXPECT_EQ(names.NameOf(*IpAddress::Parse("198.18.0.1")), "a.test");
  EXPECT_EQ(AnswerDns(Query("\1A\4Test", kA), names).substr(40 - 8),
            reply.substr(40 - 8));  // the same, whatever the case
}

TEST(DnsAnswer, OfBothFamilies) {
  StandIns names;
  const std::string reply = AnswerDns(Query("\1a\4test", kAaaa), names);
  ASSERT_EQ(CodeOf(reply), 0);
  EXPECT_TRUE(
      reply.ends_with("\0\x10\xfd"
                      "egret\0\0\0\0\0\0\0\0\0\1"sv));
  EXPECT_EQ(names.NameOf(*IpAddress::Parse("fd65:6772:6574::1")), "a.test");
}

TEST(DnsAnswer, NothingElseIsKnown) {
  StandIns names;
  const std::string reply = AnswerDns(Query("\1a\4test", kMx), names);
  EXPECT_EQ(CodeOf(reply), 0);
  EXPECT_EQ(reply[7], 0);  // answers
  EXPECT_EQ(names.NameOf(*IpAddress::Parse("198.18.0.1")), "");
}

TEST(DnsAnswer, LocalhostIsLoopback) {
  StandIns names;
  EXPECT_TRUE(AnswerDns(Query("\1a\11localhost", kA), names).ends_with("\0\4\x7f\0\0\1"sv));
  EXPECT_TRUE(AnswerDns(Query("\11localhost", kAaaa), names).ends_with("\0\0\0\1"sv));
}

TEST(DnsAnswer, WhatIsNoNameDoesNotExist) {
  StandIns names;
  EXPECT_EQ(CodeOf(AnswerDns(Query("\3a b\4test", kA), names)), 3);
  EXPECT_EQ(CodeOf(AnswerDns(Query("\3"
                                   "127\1"
                                   "0\1"
                                   "0\1"
                                   "1",
                                   kA),
                             names)),
            3);
  EXPECT_EQ(CodeOf(AnswerDns(Query("", kA), names)), 3);
}

TEST(DnsAnswer, WhatIsNoQuestionGetsNone) {
  StandIns names;
  const std::string good = Query("\1a\4test", kA);
  for (size_t size = 0; size < 12; ++size) EXPECT_EQ(AnswerDns(good.substr(0, size), names), "");
  for (size_t size = 12; size < good.size(); ++size) EXPECT_EQ(CodeOf(AnswerDns(good.substr(0, size), names)), 1);
  EXPECT_EQ(AnswerDns(Query("\1a\4test", kA, "\x81\0"sv), names), "");         // an answer
  EXPECT_EQ(CodeOf(AnswerDns(Query("\1a\4test", kA, "\x29\0"sv), names)), 4);  // an update
  EXPECT_EQ(CodeOf(AnswerDns(Query("\xc0\x0c", kA), names)), 1);               // a pointer
}

TEST(StandIns, AreBounded) {
  StandIns names;
  for (uint32_t i = 0; i < StandIns::kMost; ++i) ASSERT_TRUE(names.Of(Cat("n", i, ".test")));
  EXPECT_FALSE(names.Of("more.test"));
  EXPECT_TRUE(names.Of("n5.test"));
  EXPECT_EQ(names.NameOf(names.Of("n65535.test")->v4), "n65535.test");
  EXPECT_EQ(names.NameOf(*IpAddress::Parse("192.0.2.1")), "");
  EXPECT_EQ(names.NameOf(*IpAddress::Parse("2001:db8::1")), "");
  EXPECT_EQ(names.NameOf(*IpAddress::Parse("198.18.0.0")), "");
}

}  // namespace
}  // namespace egret
