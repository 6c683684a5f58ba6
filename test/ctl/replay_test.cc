// What a log tells, judged again by a folder of policies.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "test/ctl/ctl.h"

namespace egret {
namespace {

std::string Line(std::string_view target, std::string_view decision, std::string_view more = {}) {
  return Cat(R"({"time":"2026-11-01T09:00:00.000Z","event":"end","listener":"egress","source":"192.0.2.7:5000",)",
             R"("identity":"ci","method":"GET","target":")", target, R"(","path":"/","decision":")", decision,
             R"(","policy":"web","rule":"all","stage":"target","upstream":"93.184.216.34:80")", more, "}\n");
}

std::string FolderWith(std::string_view name, std::string_view rules) {
  const std::string folder = Cat(testing::TempDir(), "/", name);
  mkdir(folder.c_str(), 0700);
  FileOf(Cat(name, "/policies.yaml"), Cat("policies:\n- name: web\n  rules: [", rules, "]\n"));
  return folder;
}

constexpr std::string_view kAll = "{name: all, action: ALLOW}";
constexpr std::string_view kClosed = "{name: no-paste, action: DENY, to: {domains: [paste.example]}}, ";

std::string Log() {
  return FileOf("replay.log", Line("paste.example:80", "allow") + Line("paste.example:80", "allow") +
                                  Line("other.example:80", "allow") + Line("shut.example:80", "deny") +
                                  R"({"event":"open","target":"paste.example:80","method":"GET"})" + "\nno JSON\n");
}

TEST(Replay, WhatComesOutOtherwiseIsTold) {
  const Said said = Ctl({"replay", Log(), "--policy", FolderWith("closed", Cat(kClosed, kAll))});
  EXPECT_EQ(said.status, 4) << said.err;
  EXPECT_NE(said.out.find("2      ci   GET     paste.example:80  target  allow by web/all  deny by web/no-paste"),
            std::string::npos)
      << said.out;
  EXPECT_NE(said.out.find("1      ci   GET     shut.example:80   target  deny by web/all   allow by web/all"),
            std::string::npos)
      << said.out;
  EXPECT_NE(said.out.find("3 of 4 decisions would change"), std::string::npos) << said.out;
}

TEST(Replay, AsJson) {
  const Said said = Ctl({"replay", Log(), "--policy", FolderWith("closed", Cat(kClosed, kAll)), "--output", "json"});
  EXPECT_NE(said.out.find("\"judged\":4,\"left_out\":0,\"overflow\":0"), std::string::npos) << said.out;
}

TEST(Replay, WithAConfigurationItsListenersSayWhoJudges) {
  const std::string config =
      FileOf("replay.yaml",
             "listeners: [{name: egress, address: '127.0.0.1:1', filters: [http_connection: {filters: [{egress_policy: "
             "{policy: local}}, connect_tunnel, forward_router]}]}]\npolicies:\n- name: local\n  rules: [{name: "
             "everything, action: ALLOW}]\n");
  const std::string folder = FolderWith("closed", Cat(kClosed, kAll));
  const std::string log = FileOf("two.log", Line("paste.example:80", "allow") + Line("other.example:80", "allow"));
  EXPECT_EQ(Ctl({"replay", log, "--policy", folder, "--config", config}).status, 0);  // `web` judges nothing there
}

TEST(Replay, AFaultIsToldOfItsFile) {
  const Said said =
      Ctl({"replay", Log(), "--policy", FolderWith("bad", "{name: all, action: ALLOW, to: {ports: [0]}}")});
  EXPECT_EQ(said.status, 1);
  EXPECT_NE(said.err.find("bad/policies.yaml"), std::string::npos) << said.err;
}

TEST(Replay, AFolderWithoutAPolicyJudgesNothing) {
  const std::string folder = Cat(testing::TempDir(), "/lists");
  mkdir(folder.c_str(), 0700);
  FileOf("lists/sets.yaml", "domain_sets:\n- {name: paste, domains: [paste.example]}\n");
  const Said said = Ctl({"replay", Log(), "--policy", folder});
  EXPECT_EQ(said.status, 1);
  EXPECT_NE(said.err.find("holds no policy"), std::string::npos) << said.err;
}

TEST(Replay, WhatIsMissingIsAskedFor) {
  EXPECT_EQ(Ctl({"replay"}).status, 2);
  EXPECT_EQ(Ctl({"replay", Log()}).status, 2);
  EXPECT_EQ(Ctl({"replay", "/nowhere/log", "--policy", FolderWith("closed", kAll)}).status, 1);
}

}  // namespace
}  // namespace egret
