// What people write, as a whole: the built-in configuration and a gateway for a cluster that uses all of the API.
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/strings.h"
#include "source/config/bootstrap_file.h"
#include "source/config/canonical.h"
#include "source/config/default_config.h"
#include "source/config/file.h"
#include "source/config/load.h"
#include "source/config/policy_spec.h"
#include "source/policy/spec.h"

namespace egret {
namespace {

constexpr const char* kTestData = "test/config/testdata/";

std::string TestData(const std::string& name) {
  const auto text = ReadWholeFile(kTestData + name, size_t{1} << 20);
  EXPECT_TRUE(text.ok()) << name;
  return text.ok() ? *text : "";
}

// All that is said, without places: those move when a line goes.
std::vector<std::string> Said(std::string_view yaml) {
  std::vector<std::string> said;
  for (ConfigError& error : ReadBootstrapText(yaml, "e", Format::kYaml).errors) {
    error.file.clear();
    error.line = 0;
    said.push_back(error.ToString());
  }
  return said;
}

// What is said of the text without each of its lines in turn, and is not said of the whole ("+") or only of that ("-").
std::string WithoutEachLine(std::string_view name, const std::string& text) {
  std::vector<std::string_view> lines;
  for (std::string_view rest = text; !rest.empty();) lines.push_back(SplitFirst(rest, '\n'));
  const std::vector<std::string> whole = Said(text);
  const auto has = [](const std::vector<std::string>& all, const std::string& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  std::string report;
  for (size_t gone = 0; gone < lines.size(); ++gone) {
    if (lines[gone].find_first_not_of(' ') == lines[gone].npos) continue;
    std::string rest;
    for (size_t i = 0; i < lines.size(); ++i)
      if (i != gone) Append(rest, lines[i], "\n");
    const std::vector<std::string> said = Said(rest);
    Append(report, name, " without line ", gone + 1, ": ", TrimOws(lines[gone].substr(0, lines[gone].find("   #"))),
           "\n");
    for (const std::string& one : said)
      if (!has(whole, one)) Append(report, "  + ", one, "\n");
    // Where it cannot even be loaded, nothing of the whole is said again.
    const bool loaded = std::any_of(said.begin(), said.end(), [&](const std::string& one) { return has(whole, one); });
    for (const std::string& one : whole)
      if (loaded && !has(said, one)) Append(report, "  - ", one, "\n");
  }
  return report;
}

// All that the policy compiler is given.
PolicySetSpec SpecOf(const config::v1::Bootstrap& bootstrap, std::vector<ConfigError>& errors) {
  PolicySetSpec spec;
  for (const auto& policy : bootstrap.policies()) spec.policies.push_back(ToPolicySpec(policy, "p", errors));
  for (const auto& set : bootstrap.domain_sets()) spec.domain_sets.push_back(ToDomainSetSpec(set, "d", errors).spec);
  spec.guard = ToGuardSpec(bootstrap, OwnEndpoints(bootstrap));
  return spec;
}

TEST(Tour, TheDefaultConfigurationHasNoFault) {
  const BootstrapFile file = ReadBootstrapText(DefaultConfig(), kDefaultConfigName, Format::kYaml);
  EXPECT_EQ(ToString(file.errors), "");
  EXPECT_EQ(file.bootstrap.listeners(0).address(), "127.0.0.1:3128");
}

TEST(Tour, TheDefaultConfigurationIsOneMessageInEveryFormat) {
  const BootstrapFile yaml = ReadBootstrapText(DefaultConfig(), "d.yaml", Format::kYaml);
  for (const Format format : {Format::kJson, Format::kTextproto}) {
    const std::string text = format == Format::kJson ? ToCanonicalJson(yaml.bootstrap) : ToTextproto(yaml.bootstrap);
    const BootstrapFile again = ReadBootstrapText(text, "again", format);
    EXPECT_EQ(ToString(again.errors), "") << text;
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(yaml.bootstrap, again.bootstrap)) << text;
  }
}

TEST(Tour, OfTheGatewayOnlyWhatIsNotBuiltYetIsRefused) {
  const BootstrapFile file = ReadBootstrapText(TestData("gateway.yaml"), "gateway.yaml", Format::kYaml);
  std::string refused;
  for (const ConfigError& error : file.errors) {
    if (error.warning()) continue;
    EXPECT_EQ(error.why, "not built yet") << error.ToString();
    Append(refused, error.field, "\n");
  }
  EXPECT_EQ(refused, "");
}

// Each line is worth typing: without it something is said, or a documented default holds (nothing is said). The report
// of this run is among the test's outputs; where it is right, it becomes testdata/tour.golden.
TEST(Tour, EachLineRemovedGivesAnErrorOrADefault) {
  const std::string report =
      WithoutEachLine("default", std::string(DefaultConfig())) + WithoutEachLine("gateway", TestData("gateway.yaml"));
  if (const char* folder = getenv("TEST_UNDECLARED_OUTPUTS_DIR")) {
    FILE* file = fopen(Cat(folder, "/tour.golden").c_str(), "w");
    ASSERT_NE(file, nullptr);
    fwrite(report.data(), 1, report.size(), file);
    fclose(file);
  }
  EXPECT_EQ(report, TestData("tour.golden"));
}

TEST(Tour, TheGatewaysPoliciesReachThePolicyCompilerWhole) {
  const BootstrapFile file = ReadBootstrapText(TestData("gateway.yaml"), "gateway.yaml", Format::kYaml);
  std::vector<ConfigError> errors;
  const PolicySetSpec spec = SpecOf(file.bootstrap, errors);
  EXPECT_EQ(ToString(errors), "");
  ASSERT_EQ(spec.policies.size(), 2u);
  EXPECT_EQ(spec.policies[0].name, "guardrails");
  EXPECT_EQ(spec.policies[0].otherwise, PolicySpec::Otherwise::kAbstain);
  EXPECT_EQ(spec.policies[0].rules[0].to.domain_sets, std::vector<std::string>{"paste-sites"});
  EXPECT_EQ(spec.policies[0].rules[0].action, RuleSpec::Action::kDeny);
  const std::vector<RuleSpec>& rules = spec.policies[1].rules;
  ASSERT_EQ(rules.size(), 5u);
  EXPECT_EQ(rules[0].from.groups, std::vector<std::string>{"ci"});
  EXPECT_EQ(rules[0].http->methods, (std::vector<std::string>{"GET", "HEAD"}));
  EXPECT_EQ(rules[1].from.spiffe_ids, std::vector<std::string>{"spiffe://prod/ns/build/*"});
  EXPECT_EQ(rules[2].reaches_private, std::vector<std::string>{"10.20.0.0/16"});
  EXPECT_EQ(rules[2].to.ports, std::vector<uint32_t>{5000});
  EXPECT_FALSE(rules[2].http.has_value());
  EXPECT_EQ(rules[3].inspection, RuleSpec::Inspection::kNever);
  EXPECT_EQ(rules[4].mode, RuleSpec::Mode::kAudit);
  EXPECT_EQ(spec.domain_sets[0].domains, (std::vector<std::string>{".pastebin.com", "ghostbin.co"}));
  EXPECT_EQ(spec.guard.also_refuse, (std::vector<std::string>{"10.96.0.0/12", "10.244.0.0/16"}));
  ASSERT_EQ(spec.guard.own.size(), 3u);
  EXPECT_EQ(spec.guard.own[0].ToString(), "0.0.0.0:3128");
  EXPECT_EQ(spec.guard.own[1].ToString(), "0.0.0.0:15001");
  EXPECT_EQ(spec.guard.own[2].ToString(), "0.0.0.0:9902");
}

TEST(Tour, WindowsWithFractionsNarrowAnAllowAndWidenADeny) {
  const BootstrapFile file = ReadBootstrapText(
      "policies: [{name: p, mode: AUDIT, audit_until: 1970-01-01T00:00:09.9Z, rules: [\n"
      "{name: a, action: ALLOW, not_before: 1970-01-01T00:00:01.5Z, not_after: 1970-01-01T00:00:05.5Z},\n"
      "{name: b, action: DENY, not_before: 1970-01-01T00:00:01.5Z, not_after: 1970-01-01T00:00:05.5Z},\n"
      "{name: c, action: DENY, to: {protocols: [OTHER, TLS], port_ranges: [{first: 1, last: 9}]}}]}]\n",
      "e", Format::kYaml);
  std::vector<ConfigError> errors;
  const PolicySetSpec spec = SpecOf(file.bootstrap, errors);
  ASSERT_EQ(spec.policies.size(), 1u) << ToString(file.errors);
  EXPECT_EQ(spec.policies[0].mode, PolicySpec::Mode::kAudit);
  EXPECT_EQ(spec.policies[0].audit_until, 9);
  const std::vector<RuleSpec>& rules = spec.policies[0].rules;
  EXPECT_EQ(rules[0].not_before, 2);
  EXPECT_EQ(rules[0].not_after, 5);
  EXPECT_EQ(rules[1].not_before, 1);
  EXPECT_EQ(rules[1].not_after, 6);
  EXPECT_EQ(rules[2].to.protocols, (std::vector<Protocol>{Protocol::kOther, Protocol::kTls}));
  EXPECT_EQ(rules[2].to.port_ranges[0].last, 9u);
  EXPECT_FALSE(rules[2].not_after.has_value());
}

}  // namespace
}  // namespace egret
