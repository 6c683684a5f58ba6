// What a worker does where memory is scarce: with requests, with links to origins, with what holds most.
#include "source/chain/overload.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "source/event/loop.h"
#include "test/support/proxy_bench.h"

namespace egret {
namespace {

Task<void> AnswerAll(Peer& proxy, int) {
  while (co_await proxy.HearHttp(HttpKind::kRequest))
    if (!co_await proxy.Say("HTTP/1.1 204 No Content\r\n\r\n")) co_return;
}

Task<void> SayNothing(Peer& proxy, int) { co_await proxy.HearEnd(); }

std::string Get(const ProxyBench& bench) {
  return Cat("GET http://", bench.Authority("origin.test"), "/ HTTP/1.1\r\nHost: x.test\r\n\r\n");
}

Task<void> AskOnce(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (co_await proxy.Say(Get(bench))) co_await proxy.HearAnswer();
  co_await proxy.HearEnd();
}

Task<void> AskTwice(ProxyBench& bench) {
  Peer& one = bench.Connect();
  Peer& other = bench.Connect();
  co_await one.Say(Get(bench));
  co_await other.Say(Get(bench));
  co_await one.HearEnd();
  co_await other.HearEnd();
}

class OverloadTest : public testing::Test {
 protected:
  void Start(BenchSetup setup) { bench_ = std::make_unique<ProxyBench>(loop_, setup); }
  uint64_t Did(OverloadAction action) { return bench_->worker().counters().overload_actions.Read(action); }
  std::string Heard(size_t client) const { return std::string(bench_->clients().at(client)->heard()); }
  void Settle() {
    for (int i = 0; i < 50; ++i) loop_.Turn(1);
  }

  Loop loop_;
  std::unique_ptr<ProxyBench> bench_;
};

TEST_F(OverloadTest, R05_SoftConnectionsEndWithTheirResponseAndIdleLinksAreClosed) {
  Start({.origin = AnswerAll});
  bench_->Start(AskOnce);
  Settle();
  EXPECT_EQ(bench_->worker().pool().idle().Read(), 1);
  bench_->worker().SetOverload(Overload::kSoft);
  EXPECT_EQ(bench_->worker().pool().idle().Read(), 0);
  EXPECT_EQ(Did(OverloadAction::kDropIdleLinks), 1u);
  bench_->Start(AskOnce);
  Settle();
  EXPECT_EQ(Heard(0).find("Connection: close"), std::string::npos);
  EXPECT_NE(Heard(1).find("204 No Content"), std::string::npos) << Heard(1);
  EXPECT_NE(Heard(1).find("Connection: close"), std::string::npos) << Heard(1);
  EXPECT_EQ(Did(OverloadAction::kCloseConnection), 1u);
  EXPECT_EQ(Did(OverloadAction::kEndLargest), 0u);
}

TEST_F(OverloadTest, R05_HardRequestsAreRefusedUntilThereIsRoomAgain) {
  Start({.origin = AnswerAll});
  bench_->worker().SetOverload(Overload::kHard);
  bench_->Start(AskOnce);
  Settle();
  EXPECT_TRUE(Heard(0).starts_with("HTTP/1.1 503 ")) << Heard(0);
  EXPECT_NE(Heard(0).find("overload"), std::string::npos);
  EXPECT_EQ(Did(OverloadAction::kRefuseRequest), 1u);
  EXPECT_TRUE(bench_->origins().empty());
  bench_->worker().SetOverload(Overload::kNone);
  bench_->Start(AskOnce);
  Settle();
  EXPECT_NE(Heard(1).find("204 No Content"), std::string::npos) << Heard(1);
  EXPECT_EQ(Heard(1).find("Connection: close"), std::string::npos);
}

TEST_F(OverloadTest, R05_HardOneThingIsEndedATick) {
  Start({.origin = SayNothing});
  bench_->Start(AskTwice);
  Settle();
  ASSERT_EQ(bench_->origins().size(), 2u);
  bench_->worker().SetOverload(Overload::kHard);
  Settle();
  EXPECT_EQ(Did(OverloadAction::kEndLargest), 1u);
  bench_->worker().SetOverload(Overload::kHard);
  Settle();
  for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(Heard(i).starts_with("HTTP/1.1 503 ")) << Heard(i);
  EXPECT_EQ(Did(OverloadAction::kEndLargest), 2u);
  bench_->worker().SetOverload(Overload::kHard);
  EXPECT_EQ(Did(OverloadAction::kEndLargest), 2u) << "nothing is left to end";
}

}  // namespace
}  // namespace egret
