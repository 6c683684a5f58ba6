// A candidate is asked beside the policy in force, and decides nothing.
#include "source/chain/preview.h"

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "source/chain/decide.h"
#include "test/chain/chain_test_base.h"
#include "test/policy/support.h"

namespace egret {
namespace {

class PreviewTest : public ChainTestBase {
 protected:
  PreviewTest() {
    Snapshot now{Of({Allow("all")}), std::make_shared<const Chains>()};
    EXPECT_TRUE(worker_->Take(std::move(now)).empty());
    facts_.source = Ip("192.0.2.7");
    facts_.identity = Fact<const Identity*>::Absent();
    facts_.target = &target_;
    facts_.now = 1000;
    facts_.method = std::string_view("GET");
    record_->method = "GET";
  }
  ~PreviewTest() override { record_ = {}; }

  static std::shared_ptr<const Policy> Of(std::vector<RuleSpec> rules) {
    return MustCompile({{OnePolicy("web", std::move(rules))}, {}, {}});
  }
  void Show(std::vector<RuleSpec> rules) { worker_->SetPreview(std::make_unique<Preview>(1, Of(std::move(rules)))); }
  Ruling<Admission> Ask() { return DecideTarget(*worker_, &*record_, stack_, facts_, egret::Ask::kRequest); }

  const PolicyStack stack_{{"web"}};
  const Target target_ = To("paste.test:80");
  Facts facts_;
  RecordHolder record_{*worker_};
};

TEST_F(PreviewTest, WhatTheCandidateDeniesIsStillAllowedAndTold) {
  Show({Deny("closed", {"paste.test"}), Allow("all")});
  EXPECT_TRUE(Ask().permit.has_value());
  const Preview::Gathered gathered = worker_->preview()->Take();
  ASSERT_EQ(gathered.table.rows().size(), 1u);
  const auto& [change, count] = *gathered.table.rows().begin();
  EXPECT_EQ(change.who, "192.0.2.7");
  EXPECT_EQ(change.target, "paste.test:80");
  EXPECT_EQ(change.method, "GET");
  EXPECT_EQ(change.stage, "target");
  EXPECT_EQ(change.live, (PolicyChange::Side{"continue", "web", "all"}));
  EXPECT_EQ(change.candidate, (PolicyChange::Side{"deny", "web", "closed"}));
  EXPECT_EQ(count.count, 1u);
  EXPECT_EQ(count.first_unix, 1000);
  EXPECT_EQ(gathered.decisions, 1u);
}

TEST_F(PreviewTest, WhatTheCandidateAllowsIsStillDenied) {
  Snapshot now{Of({Deny("closed", {"paste.test"})}), std::make_shared<const Chains>()};
  EXPECT_TRUE(worker_->Take(std::move(now)).empty());
  Show({Allow("all")});
  EXPECT_FALSE(Ask().permit.has_value());
  EXPECT_EQ(worker_->preview()->Take().table.rows().size(), 1u);
}

TEST_F(PreviewTest, TheSameVerdictByAnotherRuleIsNoChange) {
  Show({Allow("renamed")});
  Ask();
  EXPECT_TRUE(worker_->preview()->Take().table.rows().empty());
}

// What the candidate would say of a stage that it would never have seen means nothing.
TEST_F(PreviewTest, AnExchangeIsToldOfOnce) {
  Show({Deny("closed", {"paste.test"}), Allow("all")});
  Ruling<Admission> ruling = Ask();
  const IpAddress address = Ip("93.184.216.34");
  Facts resolved = facts_;
  resolved.resolved = std::span<const IpAddress>(&address, 1);
  DecideAddress(*worker_, &*record_, *ruling.permit, resolved);
  Preview::Gathered gathered = worker_->preview()->Take();
  EXPECT_EQ(gathered.table.rows().size(), 1u);
  EXPECT_EQ(gathered.decisions, 1u);
  // Another preview has not heard of it.
  worker_->SetPreview(std::make_unique<Preview>(2, Of({Deny("none")})));
  DecideAddress(*worker_, &*record_, *ruling.permit, resolved);
  gathered = worker_->preview()->Take();
  ASSERT_EQ(gathered.table.rows().size(), 1u);
  EXPECT_EQ(gathered.table.rows().begin()->first.stage, "address");
}

TEST_F(PreviewTest, TooManyAreLeftOutUntilTheNextSecond) {
  Show({Allow("all")});
  for (uint64_t i = 0; i < Preview::kMostASecond + 5; ++i) worker_->preview()->Candidate(1999, nullptr);
  EXPECT_NE(worker_->preview()->Candidate(2000, nullptr), nullptr);
  const Preview::Gathered gathered = worker_->preview()->Take();
  EXPECT_EQ(gathered.decisions, Preview::kMostASecond + 1);
  EXPECT_EQ(gathered.skipped, 5u);
}

TEST_F(PreviewTest, TakenAwayItIsAskedNoMore) {
  Show({Deny("none")});
  worker_->SetPreview(nullptr);
  EXPECT_TRUE(Ask().permit.has_value());
}

}  // namespace
}  // namespace egret
