// What is judged again, when, and how its end is spread.
#include "source/chain/revocation.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "source/chain/live_facts.h"
#include "source/event/nursery.h"
#include "test/chain/chain_test_base.h"
#include "test/policy/support.h"

namespace egret {
namespace {

// A tunnel whose verdict the test knows.
struct Judged final : Running {
  Decision Reconsider(Worker& worker) const override {
    ++asked;
    Decision out = Kept();
    if (revoked && worker.policy().Has("closed")) {
      out.verdict = Decision::Verdict::kDeny;
      out.fault = Fault::kPolicyRevoked;
    }
    return out;
  }
  void End(Failure why) override {
    record->Fail(why);
    ended = why;
  }
  ExchangeRecord* record = nullptr;
  bool revoked = true;
  mutable int asked = 0;
  Failure ended;
};

class RevocationTest : public ChainTestBase {
 protected:
  RevocationTest() {
    Put("open");
    revocation_ = std::make_unique<Revocation>(*worker_);
    running_.Start(revocation_->Run());
    Settle();
  }
  ~RevocationTest() override { running_.Clear(); }

  void Put(const char* policy, std::optional<int64_t> not_after = std::nullopt) {
    RuleSpec rule = Allow("all");
    rule.not_after = not_after;
    Snapshot next{MustCompile({{OnePolicy(policy, {rule})}, {}, {}}), std::make_shared<const Chains>()};
    next.revocation_grace_ms = 1000;
    EXPECT_TRUE(worker_->Take(std::move(next)).empty());
    if (revocation_ != nullptr) revocation_->PolicyChanged();
  }
  void Hold(size_t count, bool revoked = true) {
    for (size_t i = 0; i < count; ++i) {
      records_.emplace_back(*worker_);
      Judged& judged = live_.emplace_back();
      judged.revoked = revoked;
      judged.record = &*records_.back();
      judged.record->running = &judged;
    }
  }
  size_t Ended() const {
    size_t count = 0;
    for (const Judged& one : live_) count += one.ended ? 1 : 0;
    return count;
  }
  size_t Asked() const {
    size_t count = 0;
    for (const Judged& one : live_) count += one.asked > 0 ? 1 : 0;
    return count;
  }

  std::deque<Judged> live_;
  std::deque<RecordHolder> records_;
  std::unique_ptr<Revocation> revocation_;
  Nursery running_;
};

TEST_F(RevocationTest, OneIsEndedAtOnceAndTheRecordSaysWhy) {
  Hold(1);
  Hold(1, false);
  Put("closed");
  Settle();
  EXPECT_EQ(live_[0].ended, (Failure{Side::kEgret, Fault::kPolicyRevoked}));
  EXPECT_EQ(records_[0]->decision.action, "deny");
  EXPECT_FALSE(live_[1].ended);
}

TEST_F(RevocationTest, ManyAreEndedSpreadOverTheGraceTheYoungestFirst) {
  Hold(1000);
  Put("closed");
  Pass(500);
  EXPECT_GT(Ended(), 300u);
  EXPECT_LT(Ended(), 700u);
  EXPECT_TRUE(live_.back().ended);
  EXPECT_FALSE(live_.front().ended);
  Pass(600);
  EXPECT_EQ(Ended(), 1000u);
}

TEST_F(RevocationTest, ATurnJudgesAFewOnly) {
  Hold(1000, false);
  Put("closed");
  size_t before = 0;
  for (int turns = 0; Asked() < 1000 && turns < 100; ++turns) {
    loop_.Turn(0);
    EXPECT_LE(Asked() - before, 64u);
    before = Asked();
  }
  EXPECT_EQ(before, 1000u);
}

TEST_F(RevocationTest, WhatEndsMeanwhileIsLeftOut) {
  Hold(200);
  Put("closed");
  loop_.Turn(0);
  loop_.Turn(0);
  ASSERT_LT(Asked(), 200u);
  records_.clear();
  Pass(1100);
  EXPECT_EQ(Ended(), 0u);
}

TEST_F(RevocationTest, PoliciesInAHurryPutTheEndOffNoFurther) {
  Hold(1000);
  for (int i = 0; i < 10; ++i) {
    Put("closed");
    Pass(100);
  }
  Pass(100);
  EXPECT_EQ(Ended(), 1000u);
}

TEST_F(RevocationTest, WhatIsAllowedAgainBeforeItsTurnLives) {
  Hold(1000);
  Put("closed");
  Pass(300);
  Put("open");
  Pass(1000);
  EXPECT_GT(Ended(), 0u);
  EXPECT_LT(Ended(), 500u);
}

TEST_F(RevocationTest, ABoundaryThatHasPassedIsACause) {
  Hold(1, false);
  const int64_t now = worker_->unix_seconds();
  Put("closed", now);  // until the end of this second
  Settle();
  const int asked = live_[0].asked;
  for (int i = 0; i < 40 && live_[0].asked == asked; ++i) loop_.Turn(100);
  EXPECT_GT(live_[0].asked, asked);
  EXPECT_GT(worker_->unix_seconds(), now);
}

}  // namespace
}  // namespace egret
