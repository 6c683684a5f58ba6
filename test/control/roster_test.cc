#include "source/control/roster.h"

#include <gtest/gtest.h>

#include <string>

namespace egret {
namespace {

class RosterTest : public testing::Test {
 protected:
  void Connect(bool anew) { roster.Connected({.id = "p1", .group = "web", .release = "1", .peer = "here"}, anew); }
  void Judge(bool accepted, const std::string& name) {
    Verdict verdict{.type_url = "T", .versions = {{name, "1"}}, .accepted = accepted, .rejections = {}};
    if (!accepted) {
      auto& rejection = verdict.rejections.emplace_back();
      rejection.set_type_url("T");
      rejection.set_name(name);
    }
    roster.Judged("web", "p1", verdict);
  }
  Proxy Only() {
    const auto proxies = roster.Look();
    EXPECT_EQ(proxies.size(), 1u);
    return proxies.front();
  }

  Roster roster;
};

TEST_F(RosterTest, ARefusalStaysUntilTheNameIsTaken) {
  Connect(true);
  Judge(false, "a");
  Judge(true, "b");
  EXPECT_EQ(Only().refusals.size(), 1u);
  Judge(true, "a");
  EXPECT_TRUE(Only().refusals.empty());
  EXPECT_EQ(roster.counts().accepted, 2u);
  EXPECT_EQ(roster.counts().refused, 1u);
}

TEST_F(RosterTest, AReasonAboutSomethingElseGoesWithItsResponse) {
  Connect(true);
  Verdict verdict{.type_url = "T", .versions = {{"a", "1"}, {"b", "1"}}, .accepted = false, .rejections = {}};
  verdict.rejections.emplace_back().set_name("elsewhere");
  roster.Judged("web", "p1", verdict);
  Judge(true, "c");
  EXPECT_EQ(Only().refusals.size(), 1u);
  Judge(true, "b");
  EXPECT_TRUE(Only().refusals.empty());
}

TEST_F(RosterTest, KeepsSoManyReasonsAndNoMore) {
  Connect(true);
  for (size_t i = 0; i < Roster::kMostRefusals + 5; ++i) Judge(false, std::to_string(i));
  EXPECT_EQ(Only().refusals.size(), Roster::kMostRefusals);
}

TEST_F(RosterTest, WhoComesBackStillRefusesAndWhoBeginsAnewDoesNot) {
  Connect(true);
  Judge(false, "a");
  roster.Settled("web", "p1", "v");
  roster.Gone("web", "p1");
  EXPECT_EQ(Only().streams, 0);
  Connect(false);
  EXPECT_EQ(Only().streams, 1);
  EXPECT_EQ(Only().version, "v");
  EXPECT_EQ(Only().refusals.size(), 1u);
  roster.Gone("web", "p1");
  Connect(true);
  EXPECT_EQ(Only().version, "");
  EXPECT_TRUE(Only().refusals.empty());
}

TEST_F(RosterTest, TheNewStreamMayComeBeforeTheOldOneIsGone) {
  Connect(true);
  Connect(false);
  roster.Gone("web", "p1");
  EXPECT_EQ(Only().streams, 1);
}

}  // namespace
}  // namespace egret
