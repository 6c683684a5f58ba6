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
  EXPECT_EQ(Only().rejections.size(), 1u);
  Judge(true, "a");
  EXPECT_TRUE(Only().rejections.empty());
  EXPECT_EQ(roster.counts().accepted, 2u);
  EXPECT_EQ(roster.counts().refused, 1u);
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
  EXPECT_EQ(Only().rejections.size(), 1u);
  roster.Gone("web", "p1");
  Connect(true);
  EXPECT_EQ(Only().version, "");
  EXPECT_TRUE(Only().rejections.empty());
}

TEST_F(RosterTest, TheNewStreamMayComeBeforeTheOldOneIsGone) {
  Connect(true);
  Connect(false);
  roster.Gone("web", "p1");
  EXPECT_EQ(Only().streams, 1);
}

}  // namespace
}  // namespace egret
