#include "source/base/json_value.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace egret {
namespace {

using Kind = JsonValue::Kind;

TEST(JsonValue, ReadsWhatIsThere) {
  const auto value = JsonValue::Parse(
      " {\"a\" : [1, -0.5e+2, true, null, {}, []], "
      "\"b\":\"x\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e4\\u20ac\\ud83d\\ude00\"} ");
  ASSERT_TRUE(value);
  ASSERT_TRUE(value->is(Kind::kObject));
  const JsonValue* const list = value->Find("a");
  ASSERT_NE(list, nullptr);
  ASSERT_EQ(list->items.size(), 6u);
  EXPECT_EQ(list->items[0].number, 1);
  EXPECT_EQ(list->items[0].text, "1");
  EXPECT_EQ(list->items[1].number, -50);
  EXPECT_TRUE(list->items[2].boolean);
  EXPECT_TRUE(list->items[3].is(Kind::kNull));
  EXPECT_EQ(value->TextOf("b"), "x\"\\/\b\f\n\r\tA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(value->TextOf("a"), std::nullopt);
  EXPECT_EQ(value->Find("c"), nullptr);
  EXPECT_EQ(list->Find("a"), nullptr);
}

TEST(JsonValue, RefusesWhatIsNone) {
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "}",
                                      "[",
                                      "[1,]",
                                      "[,1]",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{'a':1}",
                                      "01",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "1e400",
                                      "-",
                                      "--1",
                                      "0x1",
                                      "NaN",
                                      "Infinity",
                                      "tru",
                                      "nul",
                                      "True",
                                      "\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u12g4\"",
                                      "\"\\u-123\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"a\nb\"",
                                      "1 2",
                                      "{} {}",
                                      "[1]x",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1,\"\\u0061\":2}",
                                      "// x",
                                      "\xef\xbb\xbf{}"})
    EXPECT_FALSE(JsonValue::Parse(text)) << text;
  EXPECT_FALSE(JsonValue::Parse(std::string_view("\"\0\"", 3)));
  EXPECT_TRUE(JsonValue::Parse(std::string(30, '[') + std::string(30, ']')));
  EXPECT_FALSE(JsonValue::Parse(std::string(100000, '[')));
}

TEST(JsonValue, AnyBytesAreReadOrRefused) {
  std::mt19937 random(3);
  const std::string_view pieces = "{}[]\",:\\u0123456789aeft.-+ \n";
  for (int i = 0; i < 50000; ++i) {
    std::string text;
    for (size_t size = random() % 24; size > 0; --size) text += pieces[random() % pieces.size()];
    JsonValue::Parse(text);
  }
}

}  // namespace
}  // namespace egret
