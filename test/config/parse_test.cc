// The parsers below the loader: JSON syntax, durations, numbers, base64, the nearest word, how errors are shown.
#include <gtest/gtest.h>

#include <string>

#include "source/base/strings.h"
#include "source/config/error.h"
#include "source/config/json_parser.h"
#include "source/config/nearest.h"
#include "source/config/scalar.h"

namespace egret {
namespace {

std::string SyntaxError(std::string_view json) {
  const Tree tree = ParseJson(json, "f");
  EXPECT_EQ(tree.root.has_value(), tree.errors.empty());
  return ToString(tree.errors);
}

TEST(Json, IsReadStrictly) {
  EXPECT_EQ(SyntaxError("{\"a\": 1,}"), "f:1:9: no key here; write a name in quotes, without a comma after the last\n");
  EXPECT_EQ(SyntaxError("[1,]"), "f:1:4: no value here\n");
  EXPECT_EQ(SyntaxError("{a: 1}"), "f:1:2: no key here; write a name in quotes, without a comma after the last\n");
  EXPECT_EQ(SyntaxError("{\"a\" 1}"), "f:1:6: no colon after the key\n");
  EXPECT_EQ(SyntaxError("{} {}"), "f:1:4: something follows the value; a file is one value; remove the rest\n");
  EXPECT_EQ(SyntaxError("[1 2]"), "f:1:4: neither a comma nor a closing bracket here\n");
  EXPECT_EQ(SyntaxError("{\"a\": 1"), "f:1:8: neither a comma nor a closing brace here\n");
  EXPECT_EQ(SyntaxError("[\n // no\n1]"), "f:2:2: // is no value of JSON; text needs quotes\n");
  EXPECT_EQ(SyntaxError("\"a"), "f:1:3: the quotes are not closed\n");
  EXPECT_EQ(SyntaxError("\"\\x\""), "f:1:2: no such escape\n");
  EXPECT_EQ(SyntaxError("\"\\ud800\""), "f:1:8: half of a surrogate pair\n");
  EXPECT_EQ(SyntaxError("\"\\udc00x\""), "f:1:8: half of a surrogate pair\n");
  EXPECT_EQ(SyntaxError("\"\\u12g4\""), "f:1:2: \\u without four hexadecimal digits\n");
  for (const char* number : {"01", "1.", ".5", "1e", "-", "+1", "0x1", "NaN", "Infinity", "1e+"})
    EXPECT_NE(SyntaxError(number), "") << number;
  for (const char* number : {"0", "-0", "10", "1.5", "1e9", "1E-9", "-1.25e+3"})
    EXPECT_EQ(SyntaxError(number), "") << number;
}

TEST(Json, CountsColumnsInCharacters) {
  EXPECT_EQ(SyntaxError("[\"\xc3\xa9\xc3\xa9\" 1]"), "f:1:7: neither a comma nor a closing bracket here\n");
}

TEST(Json, UnescapesText) {
  const Tree tree = ParseJson("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00\"", "f");
  ASSERT_TRUE(tree.root);
  EXPECT_EQ(tree.root->text, "\"\\/\b\f\n\r\t\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
}

TEST(Duration, IsNumbersWithUnitsLargeOnesFirst) {
  const auto parts = [](std::string_view text) { return ParseDuration(text); };
  EXPECT_EQ(*parts("0s"), (DurationParts{0, 0}));
  EXPECT_EQ(*parts("1h30m"), (DurationParts{5400, 0}));
  EXPECT_EQ(*parts("1h1m1s1ms1us1ns"), (DurationParts{3661, 1'001'001}));
  EXPECT_EQ(*parts("1500ms"), (DurationParts{1, 500'000'000}));
  EXPECT_EQ(*parts("0.000000001s"), (DurationParts{0, 1}));
  EXPECT_EQ(*parts("1.5s"), (DurationParts{1, 500'000'000}));
  EXPECT_EQ(*parts("315576000000s"), (DurationParts{315'576'000'000, 0}));
  for (const char* text :
       {"", "s", "1", "1 s", "-1s", "1m1h", "1s1s", "1.5h", "1.s", ".5s", "1.0000000001s", "1d", "1S", "1e3s",
        "315576000001s", "87660001h", "18446744073709551615h", "99999999999999999999s", "1s "})
    EXPECT_FALSE(parts(text).ok()) << text;
}

TEST(Base64, IsStrict) {
  EXPECT_EQ(ParseBase64(""), "");
  EXPECT_EQ(ParseBase64("YQ=="), "a");
  EXPECT_EQ(ParseBase64("YWI="), "ab");
  EXPECT_EQ(ParseBase64("YWJj"), "abc");
  EXPECT_EQ(ParseBase64("_-8="), ParseBase64("/+8="));
  for (const char* text : {"Y", "YQ", "YQ=", "YQ=a", "YR==", "====", "Y===", "YW J", "YQ==YQ=="})
    EXPECT_FALSE(ParseBase64(text)) << text;
}

TEST(Nearest, FindsASlipOfTheKeyboardAndNothingFar) {
  const std::vector<std::string> names = {"listeners", "policies", "max_age"};
  EXPECT_EQ(NearestWord("listners", names), "listeners");
  EXPECT_EQ(NearestWord("maxAge", names), "max_age");
  EXPECT_EQ(NearestWord("polciies", names), "policies");
  EXPECT_EQ(NearestWord("tunnels", names), "");
  EXPECT_EQ(Suggest("tunnels", names, 2), "there are listeners, policies, ...");
}

TEST(ConfigError, PrintsWhatIsKnownOnOneLine) {
  EXPECT_EQ((ConfigError{.file = "f", .line = 3, .col = 5, .field = "a.b", .value = "c", .why = "w", .remedy = "r"})
                .ToString(),
            "f:3:5 a.b: c: w; r");
  EXPECT_EQ((ConfigError{.field = "a", .why = "w", .severity = ConfigError::Severity::kWarning}).ToString(),
            "a: warning: w");
  EXPECT_EQ((ConfigError{.why = "w"}).ToString(), "w");
  EXPECT_EQ((ConfigError{.file = "f", .why = "w"}).ToString(), "f: w");
}

TEST(ConfigError, ShowsValuesSoThatTheyEndNoLine) {
  EXPECT_EQ(ShownValue("a-1"), "a-1");
  EXPECT_EQ(ShownValue(""), "\"\"");
  EXPECT_EQ(ShownValue("a b\n"), "\"a b\\u000a\"");
  EXPECT_EQ(ShownValue(std::string(200, 'x')).size(), 83u);
}

TEST(PlainText, IsUtf8WithoutControls) {
  for (const char* text : {"", "a\t\r\n", "\xc3\xa9", "\xf0\x9f\x98\x80", "\xed\x9f\xbf"})
    EXPECT_TRUE(IsPlainText(text));
  for (const char* text :
       {"\x01", "\x7f", "\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"})
    EXPECT_FALSE(IsPlainText(text));
}

}  // namespace
}  // namespace egret
