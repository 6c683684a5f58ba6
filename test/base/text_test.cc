// Text as it is put together piece by piece: the writer, JSON, addresses.
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "source/base/ip.h"
#include "source/base/json.h"
#include "source/base/text_writer.h"

namespace egret {
namespace {

TEST(TextWriter, LeavesNothingBehindWhatWasWritten) {
  std::string out = "before ";
  {
    TextWriter writer(out);
    writer.Put('a', std::string_view("bc"), 12, std::string_view());
    writer.Put(std::numeric_limits<int64_t>::min(), ' ', std::numeric_limits<uint64_t>::max());
    writer.Finish();
    EXPECT_EQ(out, "before abc12-9223372036854775808 18446744073709551615");
    out += '!';
    writer.Put('?');
  }
  EXPECT_EQ(out, "before abc12-9223372036854775808 18446744073709551615!?");
}

TEST(TextWriter, GrowsAsItMust) {
  std::string out, wanted;
  TextWriter writer(out);
  for (size_t size = 0; size < 3000; size += 7) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    writer.Put(piece);
    wanted += piece;
  }
  writer.Finish();
  EXPECT_EQ(out, wanted);
}

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

// Wherever it stands among plain bytes: they are looked at eight at a time.
TEST(Json, EscapesInEveryPlace) {
  const struct {
    std::string_view text, escaped;
  } rows[] = {
      {"\"", "\\\""},
      {"\\", "\\\\"},
      {"\n", "\\u000a"},
      {std::string_view("\0", 1), "\\u0000"},
      {"\x1f", "\\u001f"},
      {"\x7f", "\\u007f"},
      {"\xc2\x9b", "\\u009b"},
      {"\xff", "\\ufffd"},
      {"\xc3\xa9", "\xc3\xa9"},
      {" ", " "},
      {"~", "~"},
      {"!", "!"},
  };
  for (const auto& row : rows)
    for (size_t before = 0; before < 20; ++before)
      for (size_t after = 0; after < 20; ++after) {
        const std::string first(before, 'x'), last(after, 'y');
        EXPECT_EQ(Quoted(first + std::string(row.text) + last), '"' + first + std::string(row.escaped) + last + '"');
      }
}

TEST(Json, IsWholeOnceAllHasEnded) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Member("text", "a\tb");
  json.MemberIf("nothing", "");
  json.Member("number", -3);
  json.Member("yes", true);
  json.Key("list");
  json.BeginArray();
  json.Number(uint64_t{1});
  json.Null();
  json.EndArray();
  json.EndObject();
  EXPECT_EQ(out, R"({"text":"a\u0009b","number":-3,"yes":true,"list":[1,null]})");
}

TEST(Ip, AsText) {
  for (const std::string_view text : {"0.0.0.0", "9.10.99.100", "255.255.255.255", "2001:db8::1", "::"})
    EXPECT_EQ(IpAddress::Parse(text)->ToString(), text);
  EXPECT_EQ((Endpoint{*IpAddress::Parse("255.255.255.255"), 65535}).ToString(), "255.255.255.255:65535");
  EXPECT_EQ((Endpoint{*IpAddress::Parse("1111:2222:3333:4444:5555:6666:7777:8888"), 65535}).ToString(),
            "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

TEST(Ip, RangesHoldWhatSharesTheirBits) {
  const auto holds = [](std::string_view range, std::string_view address) {
    return Cidr::Parse(range)->Contains(*IpAddress::Parse(address));
  };
  EXPECT_TRUE(holds("0.0.0.0/0", "255.1.2.3"));
  EXPECT_FALSE(holds("0.0.0.0/0", "::1"));
  EXPECT_TRUE(holds("10.128.0.0/9", "10.255.0.1"));
  EXPECT_FALSE(holds("10.128.0.0/9", "10.127.255.255"));
  EXPECT_TRUE(holds("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(holds("192.0.2.1", "192.0.2.0"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
}

}  // namespace
}  // namespace egret
