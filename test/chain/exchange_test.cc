// How an exchange ends from outside, and how it speaks to its client.
#include "source/chain/exchange.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "test/chain/chain_test_base.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

class ExchangeTest : public ChainTestBase {
 protected:
  ExchangeTest() : connection_(MakeConnection(far_)) { Begin(Request()); }
  void Begin(Request request) {
    exchange_.reset();
    exchange_ = std::make_unique<Exchange>(*connection_, sink_, std::move(request), RecordHolder(*worker_));
  }
  void TearDown() override { exchange_.reset(); }
  Fault Ended() const { return exchange_->ending().open() ? exchange_->why().fault : Fault::kNone; }

  std::unique_ptr<PipeStream> far_;
  std::unique_ptr<Connection> connection_;
  FakeSink sink_;
  std::unique_ptr<Exchange> exchange_;
};

TEST_F(ExchangeTest, TheFirstCauseIsTheOneThatCounts) {
  exchange_->End({Side::kEgret, Fault::kDrain});
  exchange_->End({Side::kClient, Fault::kClientGone});
  EXPECT_EQ(Ended(), Fault::kDrain);
  EXPECT_EQ(exchange_->record().failure, (Failure{Side::kEgret, Fault::kDrain}));
}

TEST_F(ExchangeTest, EndsWhenNoByteCanReachTheClient) {
  exchange_->Watch(1000, 0);
  Settle();
  EXPECT_EQ(Ended(), Fault::kNone);
  sink_.gone.Open();
  Settle();
  EXPECT_EQ(Ended(), Fault::kClientGone);
}

TEST_F(ExchangeTest, EndsWhereTheClientWasGoneBefore) {
  sink_.gone.Open();
  exchange_->Watch(1000, 0);
  Settle();
  EXPECT_EQ(Ended(), Fault::kClientGone);
}

TEST_F(ExchangeTest, H28_AClientThatEndedAfterItsRequestIsGivenAMoment) {
  exchange_->Watch(1000, 0);
  sink_.done.Open();
  Pass(900);
  EXPECT_EQ(Ended(), Fault::kNone);
  Pass(300);
  EXPECT_EQ(Ended(), Fault::kClientGone);
}

TEST_F(ExchangeTest, AClientThatHadEndedBeforeIsGivenTheSameMoment) {
  sink_.done.Open();
  exchange_->Watch(1000, 0);
  Pass(900);
  EXPECT_EQ(Ended(), Fault::kNone);
  Pass(300);
  EXPECT_EQ(Ended(), Fault::kClientGone);
}

TEST_F(ExchangeTest, AClientWhoseRequestIsStillBeingReadIsNotGone) {
  sink_.complete = false;
  exchange_->Watch(1000, 0);
  sink_.done.Open();
  Pass(5000);
  EXPECT_EQ(Ended(), Fault::kNone);
  sink_.complete = true;
  Pass(1200);
  EXPECT_EQ(Ended(), Fault::kClientGone);
}

TEST_F(ExchangeTest, EndsAfterItsLimit) {
  exchange_->Watch(1000, 2000);
  Pass(1900);
  EXPECT_EQ(Ended(), Fault::kNone);
  Pass(300);
  EXPECT_EQ(Ended(), Fault::kTotalTimeout);
}

TEST_F(ExchangeTest, NothingEndsItOnceItIsNotWatched) {
  exchange_->Watch(1000, 2000);
  exchange_->Unwatch();
  sink_.gone.Open();
  sink_.done.Open();
  Pass(5000);
  EXPECT_EQ(Ended(), Fault::kNone);
}

Task<void> Say(Exchange& exchange, int status) {
  Head head;
  head.status = status;
  co_await exchange.Inform(head);
}

TEST_F(ExchangeTest, InterimResponsesTakeTurns) {
  sink_.room.Close();
  exchange_->nursery().Start(Say(*exchange_, 100));
  exchange_->nursery().Start(Say(*exchange_, 103));
  Settle();
  EXPECT_EQ(sink_.said, "100(");
  EXPECT_FALSE(exchange_->quiet().open());
  sink_.room.Open();
  Settle();
  EXPECT_EQ(sink_.said, "100()103()");
  EXPECT_TRUE(exchange_->quiet().open());
  EXPECT_FALSE(exchange_->cut_short());
}

TEST_F(ExchangeTest, AnInterimResponseThatWasBrokenOffIsRemembered) {
  sink_.room.Close();
  exchange_->nursery().Start(Say(*exchange_, 100));
  Settle();
  exchange_->nursery().Clear();
  EXPECT_TRUE(exchange_->quiet().open());
  EXPECT_TRUE(exchange_->cut_short());
}

TEST_F(ExchangeTest, AfterTheFinalHeadNoInterimResponseGoesOut) {
  sink_.has_responded = true;
  RunTask(loop_, Say(*exchange_, 103));
  EXPECT_EQ(sink_.said, "");
}

TEST_F(ExchangeTest, ABufferingFilterAnswersTheExpectationOnce) {
  Request request;
  request.head.Add(FieldName::kExpect, "100-continue");
  request.expects_continue = true;
  Begin(std::move(request));
  EXPECT_FALSE(RunTask(loop_, exchange_->AnswerExpect()));
  EXPECT_FALSE(RunTask(loop_, exchange_->AnswerExpect()));
  EXPECT_EQ(sink_.said, "100()");
  EXPECT_EQ(exchange_->expectation, Expectation::kAnswered);
  EXPECT_EQ(exchange_->request.head.Find(FieldName::kExpect), nullptr);
}

}  // namespace
}  // namespace egret
