// rate_limit around a chain that answers by itself.
#include "source/filters/rate_limit.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "source/chain/exchange.h"
#include "test/chain/chain_test_base.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

class NoSink final : public ExchangeSink {
 public:
  Task<Failure> Inform(const Head&) override { co_return Failure{}; }
  Task<Failure> Respond(const Head&, Body*) override { co_return Failure{}; }
  void CloseAfterThis() override {}
  bool responded() const override { return false; }
  bool request_complete() const override { return true; }
  Gate& GoneGate() override { return Gate::NeverOpen(); }
  Gate& PeerDoneGate() override { return Gate::NeverOpen(); }
};

class Answer final : public HttpFilter {
 public:
  Task<Response> Handle(Exchange&, HttpNext) const override {
    Response response;
    response.head.status = 200;
    co_return response;
  }
};

struct Told {
  int status = 0;
  std::string retry_after, proxy_status;
};

Task<Told> RunChain(Exchange& exchange, const HttpFilters& filters) {
  const Response response = co_await HttpNext(filters)(exchange);
  Told told{response.head.status, {}, {}};
  if (const Field* field = response.head.Find("Retry-After")) told.retry_after = field->value;
  if (const Field* field = response.head.Find("Proxy-Status")) told.proxy_status = field->value;
  co_return told;
}

class RateLimitTest : public ChainTestBase {
 protected:
  void Use(const RateLimitOptions& options) {
    filters_.push_back(std::make_unique<RateLimitFilter>(options));
    filters_.push_back(std::make_unique<Answer>());
  }
  // The record is given back, as a takeover would hold it.
  Told Ask(uint32_t source, std::string_view method = "GET", RecordHolder* keep = nullptr,
           std::string_view target = "origin.test:80") {
    return AskFrom(IpAddress::V4(source), method, keep, target);
  }
  Told AskFrom(const IpAddress& source, std::string_view method = "GET", RecordHolder* keep = nullptr,
               std::string_view target = "origin.test:80") {
    std::unique_ptr<PipeStream> far;
    const std::unique_ptr<Connection> connection = MakeConnection(far);
    connection->peer = {source, 4711};
    Request request;
    request.head.method = method;
    NoSink sink;
    Exchange exchange(*connection, sink, std::move(request), RecordHolder(*worker_));
    auto parsed = ParseAuthority(target, std::nullopt);
    EXPECT_TRUE(parsed);
    exchange.target = std::move(*parsed);
    Told told = RunTask(loop_, RunChain(exchange, filters_));
    if (keep != nullptr) *keep = exchange.TakeRecord();
    return told;
  }

  void Wait(uint64_t ms) {
    Timer timer;
    timer.run = [](Waiter&) {};
    loop_.Arm(timer, ms);
    Pass(ms + 10);
  }

  HttpFilters filters_;
};

TEST_F(RateLimitTest, R08_AGreedySourceIsToldWhenToComeBackAndAPoliteOneIsServed) {
  Use({.limits = {.rate = 1, .burst = 2}});
  EXPECT_EQ(Ask(1).status, 200);
  EXPECT_EQ(Ask(1).status, 200);
  const Told refused = Ask(1);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.retry_after, "1");
  EXPECT_NE(refused.proxy_status.find("error=http_request_denied"), std::string::npos) << refused.proxy_status;
  EXPECT_NE(refused.proxy_status.find("rate_limited"), std::string::npos);
  EXPECT_EQ(Ask(2).status, 200);
  EXPECT_EQ(worker_->counters().limit_hits.Read(Limit::kRateRequests), 1u);
  Wait(1100);
  EXPECT_EQ(Ask(1).status, 200);
}

TEST_F(RateLimitTest, OfIPv6AddressesTheirNetworkCounts) {
  Use({.limits = {.rate = 1, .burst = 1}});
  EXPECT_EQ(AskFrom(*IpAddress::Parse("2001:db8::1")).status, 200);
  EXPECT_EQ(AskFrom(*IpAddress::Parse("2001:db8::2")).status, 429);
  EXPECT_EQ(AskFrom(*IpAddress::Parse("2001:db8:0:1::2")).status, 200);
}

TEST_F(RateLimitTest, TunnelsCountUntilTheirRecordDies) {
  Use({.limits = {.tunnels = 1}});
  RecordHolder tunnel;
  EXPECT_EQ(Ask(1, "CONNECT", &tunnel).status, 200);
  const Told refused = Ask(1, "CONNECT");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.retry_after, "1");
  EXPECT_EQ(Ask(1, "GET").status, 200);
  EXPECT_EQ(Ask(2, "CONNECT").status, 200);
  tunnel.Finish();
  EXPECT_EQ(Ask(1, "CONNECT").status, 200);
  EXPECT_EQ(worker_->counters().limit_hits.Read(Limit::kRateTunnels), 1u);
}

TEST_F(RateLimitTest, DestinationsAreCountedByNameAndPort) {
  Use({.per = RateLimitOptions::Key::kDestination, .limits = {.rate = 1, .burst = 1}});
  EXPECT_EQ(Ask(1, "GET", nullptr, "one.test:80").status, 200);
  EXPECT_EQ(Ask(2, "GET", nullptr, "one.test:80").status, 429);
  EXPECT_EQ(Ask(2, "GET", nullptr, "one.test:81").status, 200);
  EXPECT_EQ(Ask(2, "GET", nullptr, "two.test:80").status, 200);
}

}  // namespace
}  // namespace egret
