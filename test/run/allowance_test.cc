// What --allow means.
#include "source/run/allowance.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace egret {
namespace {

// The rule in one line of text, as protobuf writes it.
std::string Rule(std::string_view text, const std::vector<std::string>& ranges = {}) {
  const auto rule = RuleOf(text, ranges);
  return rule ? rule->ShortDebugString() : rule.error().text;
}

TEST(Allowance, NamesAreDomainsOnTheWebsPorts) {
  EXPECT_EQ(Rule("example.com"), R"(name: "allow-example-com" to { domains: "example.com" } action: ALLOW)");
  EXPECT_EQ(Rule("*.example.com"), R"(name: "allow-example-com" to { domains: "*.example.com" } action: ALLOW)");
  EXPECT_EQ(Rule("example.com:443"),
            R"(name: "allow-example-com-443" to { domains: "example.com" ports: 443 } action: ALLOW)");
}

TEST(Allowance, OnAnotherPortAnythingMayBeSpoken) {
  EXPECT_EQ(
      Rule("example.com:22"),
      R"(name: "allow-example-com-22" to { domains: "example.com" ports: 22 protocols: TLS protocols: HTTP protocols: OTHER } action: ALLOW)");
}

TEST(Allowance, AddressesAreReachedThoughPrivate) {
  EXPECT_EQ(Rule("10.0.0.1"),
            R"(name: "allow-10-0-0-1" to { cidrs: "10.0.0.1" } action: ALLOW reaches_private: "10.0.0.1")");
  EXPECT_EQ(
      Rule("10.0.0.0/8:80"),
      R"(name: "allow-10-0-0-0-8-80" to { cidrs: "10.0.0.0/8" ports: 80 } action: ALLOW reaches_private: "10.0.0.0/8")");
  for (const std::string_view text : {"2001:db8::1", "[2001:db8::1]"})
    EXPECT_EQ(Rule(text),
              R"(name: "allow-2001-db8-1" to { cidrs: "2001:db8::1" } action: ALLOW reaches_private: "2001:db8::1")");
  EXPECT_NE(Rule("[2001:db8::1]:80").find("ports: 80"), std::string::npos);
}

TEST(Allowance, NamesMayLeadToWhatIsPrivateWhereThatIsSaid) {
  EXPECT_NE(Rule("a.test", {"10.0.0.0/8"}).find(R"(reaches_private: "10.0.0.0/8")"), std::string::npos);
  EXPECT_EQ(Rule("192.0.2.1", {"10.0.0.0/8"}).find("10.0.0.0"), std::string::npos);
}

TEST(Allowance, SaysWhatIsWrong) {
  EXPECT_EQ(Rule("https://example.com/x"), "https://example.com/x: a host is wanted, not a URL; write example.com");
  for (const std::string_view port : {"0", "65536", "http", "-1"})
    EXPECT_NE(Rule("example.com:" + std::string(port)).find("is no port"), std::string::npos);
}

TEST(Allowance, LongNamesMakeNamesOfRules) {
  const auto rule = RuleOf(std::string(60, 'a') + "." + std::string(60, 'b') + ".test", {});
  ASSERT_TRUE(rule.ok());
  EXPECT_EQ(rule->name().size(), 63u);
}

}  // namespace
}  // namespace egret
