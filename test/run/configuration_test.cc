// What a run is served with.
#include "source/run/configuration.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "source/base/result.h"
#include "source/io/listen.h"
#include "source/run/options.h"
#include "source/run/ready_policies.h"

namespace egret {
namespace {

class RunConfigurationTest : public ::testing::Test {
 protected:
  // --policy with this text.
  Result<RunConfiguration, Problem> OfPolicy(const std::string& text) {
    std::ofstream(path_) << text;
    RunOptions options;
    options.policy = path_;
    return ConfigurationOf(options);
  }
  static std::vector<std::string> ChainsInside(const RunConfiguration& made) {
    std::vector<std::string> names;
    for (const auto& listener : made.settings.bootstrap.listeners())
      for (const auto& chain : listener.filter_chains()) names.push_back(chain.name());
    return names;
  }

  const std::string path_ = std::filesystem::path(::testing::TempDir()) / "run_policy.yaml";
};

TEST_F(RunConfigurationTest, WithoutAnyAllowanceIsValidAndAllowsNothing) {
  const auto made = ConfigurationOf({});
  ASSERT_TRUE(made.ok()) << made.error().text;
  ASSERT_EQ(made->settings.bootstrap.policies_size(), 1);
  EXPECT_EQ(made->settings.bootstrap.policies(0).rules_size(), 0);
  EXPECT_EQ(made->trust_pem, "");
}

TEST_F(RunConfigurationTest, AllowancesOfOneNameAreRulesOfTheirOwn) {
  RunOptions options;
  options.allow = {"a.test", "*.a.test", "a.test"};
  const auto made = ConfigurationOf(options);
  ASSERT_TRUE(made.ok()) << made.error().text;
  std::vector<std::string> names;
  for (const auto& rule : made->settings.bootstrap.policies(0).rules()) names.push_back(rule.name());
  EXPECT_EQ(names, (std::vector<std::string>{"allow-a-test", "allow-a-test-2", "allow-a-test-3"}));
}

TEST_F(RunConfigurationTest, EachReadyPolicyIsValidAndHelpNamesIt) {
  ASSERT_FALSE(ReadyPolicies().empty());
  for (const ReadyPolicy& ready : ReadyPolicies()) {
    const std::string name = "@" + std::string(ready.name);
    RunOptions options;
    options.allow = {name, name, "a.test"};
    const auto made = ConfigurationOf(options);
    ASSERT_TRUE(made.ok()) << made.error().text;
    const auto as_file = OfPolicy(std::string(ready.text));
    ASSERT_TRUE(as_file.ok()) << as_file.error().text;
    EXPECT_EQ(made->settings.bootstrap.policies(0).rules_size(),
              2 * as_file->settings.bootstrap.policies(0).rules_size() + 1)
        << name;
    EXPECT_NE(RunHelpText().find(name), std::string::npos) << name;
  }
  RunOptions options;
  options.allow = {"@nothing"};
  EXPECT_EQ(ConfigurationOf(options).error().text,
            "--allow @nothing: no such ready policy; there are @crates, @debian, @github, @go, @npm, @pypi");
}

TEST_F(RunConfigurationTest, LooksIntoTlsOnlyWhereARuleWantsToSee) {
  const auto plain = OfPolicy("policies: [{name: a, rules: [{name: r, action: ALLOW}]}]");
  ASSERT_TRUE(plain.ok()) << plain.error().text;
  EXPECT_EQ(plain->trust_pem, "");
  EXPECT_EQ(ChainsInside(*plain), (std::vector<std::string>{"clear", "relayed"}));
  const auto inside = OfPolicy("policies: [{name: a, rules: [{name: r, action: ALLOW, http: {methods: [GET]}}]}]");
  ASSERT_TRUE(inside.ok()) << inside.error().text;
  EXPECT_NE(inside->trust_pem.find("BEGIN CERTIFICATE"), std::string::npos);
  EXPECT_EQ(inside->trust_pem.find("PRIVATE"), std::string::npos);
  EXPECT_EQ(ChainsInside(*inside), (std::vector<std::string>{"inspected", "clear", "relayed"}));
}

TEST_F(RunConfigurationTest, AllPoliciesDecideTogether) {
  const auto made = OfPolicy("policies: [{name: b, otherwise: ABSTAIN}, {name: a}]");
  ASSERT_TRUE(made.ok()) << made.error().text;
  const auto& proxy = made->settings.bootstrap.listeners(0).filters(0).http_connection().filters(0).egress_policy();
  EXPECT_EQ(std::vector<std::string>(proxy.policies().begin(), proxy.policies().end()),
            (std::vector<std::string>{"b", "a"}));
}

TEST_F(RunConfigurationTest, TakesNothingFromAPolicyFileThatIsTheRunsOwn) {
  const auto made = OfPolicy("policies: [{name: a}]\naccess_log: [{file: {path: /dev/stdout}}]");
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().text.find("access_log: a run has its own"), std::string::npos);
}

TEST_F(RunConfigurationTest, ServesOnWhatItIsGivenAndOnNothingElse) {
  auto made = ConfigurationOf({});
  ASSERT_TRUE(made.ok()) << made.error().text;
  auto socket = ListenSocket::Open(*ListenAddress::Parse("127.0.0.1:0"), {});
  ASSERT_TRUE(socket.ok());
  std::vector<NamedSocket> sockets;
  sockets.push_back({"listener proxy", std::move(*socket)});
  ServeOn(sockets, made->settings.bootstrap);
  ASSERT_EQ(made->settings.bootstrap.listeners_size(), 2);
  EXPECT_EQ(made->settings.bootstrap.listeners(0).address(), sockets.front().socket.bound().ToString());
  EXPECT_EQ(made->settings.bootstrap.listeners(1).name(), "tunnels");
}

}  // namespace
}  // namespace egret
