// What becomes of a response whose exchange has ended meanwhile.
#include "source/chain/serve.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "source/chain/local_reply.h"
#include "test/chain/chain_test_base.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

// Answers with a failure of its own, where asked after something else has ended the exchange in the same breath.
class Failing final : public HttpFilter {
 public:
  explicit Failing(Failure reply, Failure ends = {}) : reply_(reply), ends_(ends) {}
  Task<Response> Handle(Exchange& exchange, HttpNext) const override {
    if (ends_) exchange.End(ends_);
    co_return LocalReply(exchange, reply_);
  }

 private:
  Failure reply_, ends_;
};

constexpr Failure kReset{Side::kUpstream, Fault::kUpstreamReset};
constexpr Failure kGone{Side::kClient, Fault::kClientGone};

class ServeTest : public ChainTestBase {
 protected:
  void ServeThrough(std::unique_ptr<Failing> filter) {
    HttpFilters chain;
    chain.push_back(std::move(filter));
    exchange_.emplace(*connection_, sink_, Request(), RecordHolder(*worker_));
    end_ = RunTask(loop_, Serve(*exchange_, chain, {}));
  }
  void TearDown() override { exchange_.reset(); }

  std::unique_ptr<PipeStream> far_;
  std::unique_ptr<Connection> connection_{MakeConnection(far_)};
  FakeSink sink_;
  std::optional<Exchange> exchange_;
  ServeEnd end_;
};

TEST_F(ServeTest, AFailureWithAStatusIsToldToTheClient) {
  ServeThrough(std::make_unique<Failing>(kReset));
  EXPECT_EQ(sink_.said, "502");
  EXPECT_TRUE(end_.intact);
  EXPECT_EQ(exchange_->record().status, 502);
}

TEST_F(ServeTest, H28_WhereTheClientIsGoneNoStatusIsSaidNorRecorded) {
  ServeThrough(std::make_unique<Failing>(kReset, kGone));
  EXPECT_EQ(sink_.said, "");
  EXPECT_FALSE(end_.intact);
  EXPECT_EQ(exchange_->record().status, 0);
  EXPECT_EQ(exchange_->record().failure, kGone);
}

// A stream that is reset while its response is put fails with a cause that has a status, and so would each next one.
TEST_F(ServeTest, AClientThatLeavesDuringTheResponseIsToldNothingMore) {
  sink_.fails = {Side::kClient, Fault::kHttp2Malformed};
  sink_.leaves = true;
  ServeThrough(std::make_unique<Failing>(kReset));
  EXPECT_EQ(sink_.said, "502!");
  EXPECT_FALSE(end_.intact);
  EXPECT_EQ(exchange_->record().status, 0);
}

TEST_F(ServeTest, AReplyThatCannotBePutEitherIsTheLast) {
  sink_.fails = {Side::kEgret, Fault::kInternal};
  ServeThrough(std::make_unique<Failing>(kReset));
  EXPECT_EQ(sink_.said, "502!500!");
  EXPECT_FALSE(end_.intact);
  EXPECT_EQ(exchange_->record().status, 0);
}

TEST_F(ServeTest, AReplyToAClientThatIsGoneIsNeverSent) {
  ServeThrough(std::make_unique<Failing>(kGone));
  EXPECT_EQ(sink_.said, "");
  EXPECT_FALSE(end_.intact);
  EXPECT_EQ(exchange_->record().status, 0);
  EXPECT_EQ(exchange_->record().failure, kGone);
}

}  // namespace
}  // namespace egret
