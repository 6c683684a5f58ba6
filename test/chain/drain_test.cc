// Winding a worker down: who is told, who is ended, and when.
#include "source/chain/drain.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "source/event/nursery.h"
#include "source/event/wait.h"
#include "test/chain/chain_test_base.h"

namespace egret {
namespace {

struct Live final : Running {
  Decision Reconsider(Worker& /*worker*/) const override { return {}; }
  void End(Failure why) override { ended = why; }
  Failure ended;
};

class DrainTest : public ChainTestBase {
 protected:
  ~DrainTest() override {
    drain_.Clear();
    waiting_.Clear();
  }
  void Begin(DrainTimes times) {
    drain_.Clear();
    drain_.Start(WindDown(*worker_, times, [this] { ++stops_; }));
  }
  Task<void> Wait(Gate& gate, int name) {
    co_await GateAwaiter(gate);
    woken_.push_back(name);
  }
  void Hold(size_t count) {
    for (size_t i = 0; i < count; ++i) {
      records_.emplace_back(*worker_);
      records_.back()->running = &live_.emplace_back();
    }
  }
  size_t Ended() const {
    size_t count = 0;
    for (const Live& one : live_) count += one.ended ? 1 : 0;
    return count;
  }

  int stops_ = 0;
  std::vector<int> woken_;
  std::deque<Live> live_;
  std::deque<RecordHolder> records_;
  Nursery waiting_, drain_;
};

TEST_F(DrainTest, ResponsesAreToldAtOnceAndAcceptingGoesOnForTheGrace) {
  Begin({5000, 15000, 1000});
  EXPECT_TRUE(worker_->EndsOf(nullptr)->draining.open());
  Pass(4900);
  EXPECT_EQ(stops_, 0);
  EXPECT_FALSE(worker_->EndsOf(nullptr)->idle.open());
  Pass(200);
  EXPECT_EQ(stops_, 1);
}

TEST_F(DrainTest, IdleConnectionsEndInTheSecondHalfOfTheJitterTheLongestIdleFirst) {
  for (int i = 0; i < 100; ++i) waiting_.Start(Wait(worker_->EndsOf(nullptr)->idle, i));
  Begin({0, 15000, 1000});
  EXPECT_EQ(stops_, 1);
  Pass(450);
  EXPECT_TRUE(woken_.empty());
  Pass(300);
  EXPECT_GT(woken_.size(), 20u);
  EXPECT_LT(woken_.size(), 80u);
  Pass(400);
  ASSERT_EQ(woken_.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(woken_[static_cast<size_t>(i)], i);
}

TEST_F(DrainTest, WhoHasNotAskedYetIsGivenTwoSecondsMore) {
  waiting_.Start(Wait(worker_->EndsOf(nullptr)->unasked, 1));
  Begin({0, 15000, 1000});
  Pass(1900);
  EXPECT_TRUE(woken_.empty());
  Pass(700);
  EXPECT_EQ(woken_.size(), 1u);
}

TEST_F(DrainTest, L09_WhatLivesToTheDeadlineIsEndedSpreadOverTheJitter) {
  Hold(1000);
  Begin({0, 15000, 4000});
  Pass(10900);
  EXPECT_EQ(Ended(), 0u);
  while (Ended() == 0) Pass(16);
  EXPECT_LT(Ended(), 50u);
  for (const Live& one : live_)
    if (one.ended) EXPECT_EQ(one.ended, (Failure{Side::kEgret, Fault::kDrain}));
  EXPECT_TRUE(live_.back().ended);  // the youngest first: what runs inside a tunnel is younger than the tunnel
  Pass(4200);
  EXPECT_EQ(Ended(), 1000u);
}

TEST_F(DrainTest, BegunAnewItsTimesAreTheNewOnes) {
  Begin({600000, 15000, 0});
  Pass(100);
  EXPECT_EQ(stops_, 0);
  Begin({0, 1000, 0});
  EXPECT_EQ(stops_, 1);
  Hold(1);
  Pass(1100);
  EXPECT_EQ(Ended(), 1u);
}

TEST_F(DrainTest, ATimeoutOfNothingEndsAllAtOnce) {
  Hold(3);
  Begin({0, 0, 1000});
  Pass(50);
  EXPECT_EQ(Ended(), 3u);
  EXPECT_TRUE(worker_->EndsOf(nullptr)->idle.open());
  EXPECT_TRUE(worker_->EndsOf(nullptr)->unasked.open());
}

}  // namespace
}  // namespace egret
