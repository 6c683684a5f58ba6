// Row P12 of the catalogue: ten thousand rules, and expressions that would keep a lesser engine busy for years.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"
#include "test/policy/support.h"

namespace egret {
namespace {

Decision DecideGet(const Policy& policy, const Target& target, std::string_view path) {
  Facts facts;
  facts.source = Ip("192.0.2.7");
  facts.identity = Fact<const Identity*>::Absent();
  facts.target = &target;
  facts.protocol = Protocol::kHttp;
  facts.method = std::string_view("GET");
  facts.path = path;
  facts.headers = std::span<const Field>();
  return policy.DecideTarget(Stack(), facts, Ask::kRequest).decision;
}

RuleSpec AllowPaths(std::string name, std::string host, std::vector<std::string> regexes) {
  RuleSpec rule = Allow(std::move(name), {std::move(host)});
  rule.http.emplace().path_regexes = std::move(regexes);
  return rule;
}

TEST(Scale, P12_TenThousandRulesAreToldApart) {
  constexpr int kRules = 10'000;
  std::vector<RuleSpec> rules;
  rules.reserve(kRules);
  for (int i = 0; i < kRules; ++i)
    rules.push_back(AllowPaths(Cat("r", i), Cat("h", i, ".example"), {Cat("/v[0-9]+/", i)}));
  const auto policy = Rules(std::move(rules));
  for (const int i : {0, 1, 4999, kRules - 1}) {
    const Target target = To(Cat("h", i, ".example:80"));
    const Decision own = DecideGet(*policy, target, Cat("/v12/", i));
    EXPECT_TRUE(own.can_allow && !own.can_deny) << i;
    EXPECT_EQ(own.rule, Cat("r", i));
    EXPECT_TRUE(DecideGet(*policy, target, Cat("/v12/", i + 1)).denied());
  }
  EXPECT_TRUE(DecideGet(*policy, To("h10000.example:80"), "/v12/10000").denied());
}

// Engines that try one way after the other take exponential time for each of these, so that this would never end.
TEST(Scale, P12_TheWorstExpressionsTakeOnePass) {
  const std::string many(20'000, 'a');
  for (const char* regex : {"/(a+)+b", "/(a|aa)+b", "/(a|a)*b", "/([a-z]+)*b", "/(.*)(.*)(.*)(.*)(.*)b"}) {
    const auto policy = Rules({AllowPaths("r", "a.example", {regex})});
    EXPECT_FALSE(DecideGet(*policy, To("a.example:80"), Cat("/", many, "b")).denied()) << regex;
    EXPECT_TRUE(DecideGet(*policy, To("a.example:80"), Cat("/", many, "!")).denied()) << regex;
  }
}

}  // namespace
}  // namespace egret
