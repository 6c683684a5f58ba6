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

control::v1::Report ReportOf(const std::string& name, control::v1::ResourceStatus::State state) {
  control::v1::Report report;
  auto& resource = *report.add_resources();
  resource.set_type_url("T");
  resource.set_name(name);
  resource.set_state(state);
  if (state == control::v1::ResourceStatus::PARKED) resource.add_errors()->set_name(name);
  return report;
}

TEST_F(RosterTest, WhatItReportsIsKnownThoughItWasRefusedElsewhere) {
  Connect(false);
  EXPECT_TRUE(roster.Reported("web", "p1", ReportOf("a", control::v1::ResourceStatus::PARKED), true));
  EXPECT_EQ(Only().Rejections().size(), 1u);
  EXPECT_EQ(Only().fleet_streams, 1);
  EXPECT_TRUE(roster.Reported("web", "p1", ReportOf("a", control::v1::ResourceStatus::IN_FORCE), false));
  EXPECT_TRUE(Only().Rejections().empty());
  roster.ReportsNoMore("web", "p1");
  EXPECT_EQ(Only().fleet_streams, 0);
  EXPECT_FALSE(roster.Reported("web", "nobody", {}, true));
}

TEST_F(RosterTest, AReasonIsToldOnceThoughItIsHeardTwice) {
  Connect(true);
  Judge(false, "a");
  roster.Reported("web", "p1", ReportOf("a", control::v1::ResourceStatus::PARKED), true);
  EXPECT_EQ(Only().Rejections().size(), 1u);
  Judge(true, "a");  // and the report of it is still to come
  EXPECT_TRUE(Only().Rejections().empty());
}

TEST_F(RosterTest, WhatReportsDoNotConfirmIsForgotten) {
  Connect(true);
  Judge(false, "of another carrier");
  roster.Reported("web", "p1", {}, true);
  EXPECT_EQ(Only().Rejections().size(), 1u);
  roster.Reported("web", "p1", {}, false);
  EXPECT_TRUE(Only().Rejections().empty());
}

TEST_F(RosterTest, ANewStreamOfReportsSaysAll) {
  Connect(false);
  roster.Reported("web", "p1", ReportOf("a", control::v1::ResourceStatus::MISSING), true);
  EXPECT_EQ(Only().troubles.size(), 1u);
  EXPECT_TRUE(Only().Rejections().empty());
  roster.Reported("web", "p1", {}, true);
  EXPECT_TRUE(Only().troubles.empty());
}

TEST_F(RosterTest, AddsUpWhatRulesDecided) {
  Connect(true);
  control::v1::Report report;
  auto& count = *report.add_counts();
  count.set_policy("p");
  count.set_rule("r");
  count.set_denied(2);
  roster.Reported("web", "p1", report, true);
  roster.Reported("web", "p1", report, false);
  EXPECT_EQ(roster.Decisions().at("web").at({"p", "r"}).denied(), 4u);
}

}  // namespace
}  // namespace egret
