// What differs between two configurations, and what that does to logged
// decisions.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "egret/config/v1/bootstrap.pb.h"
#include "source/base/strings.h"
#include "source/ctl/resource_diff.h"
#include "test/ctl/ctl.h"

namespace egret {
namespace {

std::string Config(std::string_view name, std::string_view rules, std::string_view more = {}) {
  return FileOf(name, Cat("listeners: [{name: egress, address: '127.0.0.1:1', "
                          "filters: [http_connection: {filters: "
                          "[{egress_policy: {policy: web}}, connect_tunnel, "
                          "forward_router]}]}]\n"
                          "policies:\n- name: web\n  rules: [",
                          rules, "]\n", more));
}

constexpr std::string_view kAll = "{name: all, action: ALLOW}";
constexpr std::string_view kClosed = "{name: no-paste, action: DENY, to: {domains: [paste.example]}}, ";

std::string Line(std::string_view target, std::string_view more = {}) {
  return Cat(R"({"time":"2026-11-01T09:00:00.000Z","event":"end","listener":"egress","source":"192.0.2.7:5000",)",
             R"("identity":"ci","method":"GET","target":")", target, R"(","path":"/","upstream":"93.184.216.34:80")",
             more, "}\n");
}

TEST(Diff, TheSameDiffersInNothing) {
  const std::string a = Config("a.yaml", kAll), b = Config("b.yaml", kAll);
  const Said said = Ctl({"diff", a, b});
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.out, "");
}

TEST(Diff, ResourcesAreAddedRemovedAndChanged) {
  const std::string a = Config("a.yaml", kAll, "domain_sets: [{name: old, domains: [a.example]}]\n");
  const std::string b = Config("b.yaml", Cat(kClosed, kAll), "domain_sets: [{name: fresh, domains: [a.example]}]\n");
  const Said said = Ctl({"diff", a, b});
  EXPECT_EQ(said.status, 4);
  EXPECT_NE(said.out.find("removed DomainSet old\n"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("added DomainSet fresh\n"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("changed EgressPolicy web\n"), std::string::npos) << said.out;
  EXPECT_NE(said.out.find("rules[0].name: \"all\" -> \"no-paste\""), std::string::npos) << said.out;
  EXPECT_EQ(said.out.find("Listener"), std::string::npos) << said.out;
}

TEST(Diff, LoggedDecisionsAreJudgedAgain) {
  const std::string a = Config("a.yaml", kAll), b = Config("b.yaml", Cat(kClosed, kAll));
  const std::string log = FileOf(
      "access.log", Line("paste.example:80") + Line("paste.example:80") + Line("other.example:80") + "no JSON\n");
  Said said = Ctl({"diff", a, b, "--log", log});
  EXPECT_EQ(said.status, 4);
  EXPECT_NE(said.out.find("2      ci   GET     paste.example:80  target  "
                          "forward by web/all  deny by web/no-paste"),
            std::string::npos)
      << said.out;
  EXPECT_NE(said.out.find("2 of 3 decisions would change"), std::string::npos) << said.out;
  said = Ctl({"diff", a, a, "--log", log});
  EXPECT_EQ(said.status, 0);
  EXPECT_NE(said.out.find("0 of 3 decisions would change"), std::string::npos) << said.out;
  said = Ctl({"diff", a, b, "--log", log, "--output", "json"});
  EXPECT_NE(said.out.find("\"judged\":3"), std::string::npos) << said.out;
}

config::v1::Bootstrap WithSecret(const std::string& text) {
  config::v1::Bootstrap bootstrap;
  config::v1::Secret& secret = *bootstrap.add_secrets();
  secret.set_name("token");
  secret.mutable_credential()->set_inline_string(text);
  return bootstrap;
}

TEST(Diff, SecretsAreComparedAndNotTold) {
  const auto differences = DiffResources(WithSecret("hunter2"), WithSecret("swordfish"));
  ASSERT_EQ(differences.size(), 1u);
  EXPECT_EQ(differences[0].type, "Secret");
  EXPECT_EQ(differences[0].name, "token");
  EXPECT_TRUE(differences[0].where.empty());
  EXPECT_TRUE(DiffResources(WithSecret("hunter2"), WithSecret("hunter2")).empty());
}

TEST(Diff, WhatIsNotValidIsTold) {
  const std::string a = Config("a.yaml", kAll), b = Config("b.yaml", "{name: bad}");
  const Said said = Ctl({"diff", a, b});
  EXPECT_EQ(said.status, 1);
  EXPECT_NE(said.err.find("policies[0].rules[0]"), std::string::npos) << said.err;
  EXPECT_EQ(Ctl({"diff", a}).status, 2);
}

}  // namespace
}  // namespace egret
