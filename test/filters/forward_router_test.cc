// How forward_router writes a request on, what it answers by itself, and what it tries again.
#include "source/filters/forward_router.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "source/event/loop.h"
#include "test/support/proxy_bench.h"

namespace egret {
namespace {

constexpr std::string_view kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";

Task<void> AnswerAll(Peer& proxy, int) {
  while (co_await proxy.HearHttp(HttpKind::kRequest))
    if (!co_await proxy.Say(std::string(kNoContent))) co_return;
}

// Answers one request, and ends without a word once the next is there.
Task<void> AnswerOne(Peer& proxy, int) {
  if (co_await proxy.HearHttp(HttpKind::kRequest)) co_await proxy.Say(std::string(kNoContent));
  co_await proxy.HearHttp(HttpKind::kRequest);
}

std::string Request(const ProxyBench& bench, std::string_view line, std::string_view fields,
                    std::string_view content = "") {
  std::string target(line);
  const size_t at = target.find("HERE");
  target.replace(at, 4, bench.Authority("origin.test"));
  return Cat(target, " HTTP/1.1\r\nHost: x.test\r\n", fields, "\r\n", content);
}

Task<bool> Ask(Peer& proxy, std::string request) {
  co_return co_await proxy.Say(std::move(request)) && co_await proxy.HearAnswer();
}

class ForwardRouterTest : public testing::Test {
 protected:
  void Run(ProxyBench::ClientScript client, const BenchSetup& setup = {.origin = AnswerAll}) {
    bench_ = std::make_unique<ProxyBench>(loop_, setup);
    bench_->Start(client);
    ASSERT_TRUE(bench_->Finish());
  }
  HttpText Heard(size_t origin = 0) const {
    return ReadHttp(bench_->origins().at(origin)->heard(), HttpKind::kRequest);
  }
  int Status() const { return bench_->clients().at(0)->http().status(); }
  std::string Here() const { return bench_->Authority("origin.test"); }

  Loop loop_;
  std::unique_ptr<ProxyBench> bench_;
};

Task<void> Get(ProxyBench& bench) {
  co_await Ask(bench.Connect(), Request(bench, "GET http://HERE/a?b=c", "Proxy-Authorization: Basic eDp5\r\n"));
}

TEST_F(ForwardRouterTest, H10_AnOriginIsAskedInOriginFormAndHostIsTheTargets) {
  Run(Get);
  EXPECT_EQ(Status(), 204);
  EXPECT_EQ(Heard().start, "GET /a?b=c HTTP/1.1");
  EXPECT_EQ(Heard().Field("Host"), Here());
  EXPECT_EQ(Heard().Field("Via"), "1.1 egret");
  EXPECT_EQ(Heard().Field("Proxy-Authorization"), "");  // H26
}

TEST_F(ForwardRouterTest, AParentThatResolvesIsAskedInAbsoluteFormWithOurCredentials) {
  Run(Get, {.origin = AnswerAll, .parent = NextHop::Resolve::kRemote});
  EXPECT_EQ(Heard().start, Cat("GET http://", Here(), "/a?b=c HTTP/1.1"));
  EXPECT_EQ(Heard().Field("Host"), Here());
  EXPECT_EQ(Heard().Field("Proxy-Authorization"), "Basic cGFyZW50OnNlY3JldA==");
}

Task<void> OptionsOfTheServer(ProxyBench& bench) {
  co_await Ask(bench.Connect(), Request(bench, "OPTIONS http://HERE", ""));
}

TEST_F(ForwardRouterTest, OptionsOfABareAuthorityIsForTheServerAsAWhole) {
  Run(OptionsOfTheServer);
  EXPECT_EQ(Heard().start, "OPTIONS * HTTP/1.1");
}

TEST_F(ForwardRouterTest, ToAParentOptionsOfABareAuthorityStaysBare) {
  Run(OptionsOfTheServer, {.origin = AnswerAll, .parent = NextHop::Resolve::kRemote});
  EXPECT_EQ(Heard().start, Cat("OPTIONS http://", Here(), " HTTP/1.1"));
}

template <const char* kLeft>
Task<void> OptionsWithMaxForwards(ProxyBench& bench) {
  co_await Ask(bench.Connect(), Request(bench, "OPTIONS http://HERE/", Cat("Max-Forwards: ", kLeft, "\r\n")));
}
constexpr char kZero[] = "0", kFive[] = "5", kNoNumber[] = "many";

TEST_F(ForwardRouterTest, H25_WithoutForwardsLeftTheProxyAnswersItself) {
  Run(OptionsWithMaxForwards<kZero>);
  EXPECT_EQ(Status(), 200);
  EXPECT_TRUE(bench_->origins().empty());
}

TEST_F(ForwardRouterTest, H25_AForwardIsSpent) {
  Run(OptionsWithMaxForwards<kFive>);
  EXPECT_EQ(Heard().Field("Max-Forwards"), "4");
  Run(OptionsWithMaxForwards<kNoNumber>);
  EXPECT_EQ(Heard().Field("Max-Forwards"), "many");
}

Task<void> GetWithMaxForwards(ProxyBench& bench) {
  co_await Ask(bench.Connect(), Request(bench, "GET http://HERE/", "Max-Forwards: 0\r\n"));
}

TEST_F(ForwardRouterTest, MaxForwardsMeansNothingToGet) {
  Run(GetWithMaxForwards);
  EXPECT_EQ(Status(), 204);
}

Task<void> UpgradeToH2c(ProxyBench& bench) {
  co_await Ask(bench.Connect(), Request(bench, "GET http://HERE/",
                                        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                                        "HTTP2-Settings: AAMAAABkAAQAAP__\r\n"));
}

TEST_F(ForwardRouterTest, H21_AnUpgradeThatNobodyCanPoliceGoesNoFurther) {
  Run(UpgradeToH2c);
  EXPECT_EQ(Status(), 204);
  for (const char* name : {"Upgrade", "HTTP2-Settings", "Connection"}) EXPECT_EQ(Heard().Field(name), "") << name;
}

Task<void> GetThenGet(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (co_await Ask(proxy, Request(bench, "GET http://HERE/a", "")))
    co_await Ask(proxy, Request(bench, "GET http://HERE/b", ""));
}
Task<void> GetThenPost(ProxyBench& bench) {
  Peer& proxy = bench.Connect();
  if (co_await Ask(proxy, Request(bench, "GET http://HERE/a", "")))
    co_await Ask(proxy, Request(bench, "POST http://HERE/b", "Content-Length: 4\r\n", "data"));
}

TEST_F(ForwardRouterTest, L10_AReusedLinkThatEndsUnheardIsReplacedOnceForWhatMayBeRepeated) {
  Run(GetThenGet, {.origin = AnswerOne});
  EXPECT_EQ(Status(), 204);
  ASSERT_EQ(bench_->origins().size(), 2u);
  EXPECT_EQ(Heard(1).start, "GET /b HTTP/1.1");
}

TEST_F(ForwardRouterTest, H28_WhatMayNotBeRepeatedIsNot) {
  Run(GetThenPost, {.origin = AnswerOne});
  EXPECT_EQ(Status(), 502);
  EXPECT_EQ(bench_->origins().size(), 1u);
}

// An interim response whose Connection names what it must not, and then the answer.
Task<void> SaysABadInterim(Peer& proxy, int) {
  while (co_await proxy.HearHttp(HttpKind::kRequest))
    if (!co_await proxy.Say(Cat("HTTP/1.1 103 Early Hints\r\nConnection: content-length\r\n\r\n", kNoContent)))
      co_return;
}

TEST_F(ForwardRouterTest, H20_AnInterimResponseThatBreaksTheRulesIsABadAnswer) {
  Run(GetThenGet, {.origin = SaysABadInterim});
  EXPECT_EQ(Status(), 502);
  EXPECT_EQ(bench_->clients().at(0)->heard().find("103"), std::string::npos);
  EXPECT_EQ(bench_->origins().size(), 2u);  // what it said behind it is nobody's answer
}

Task<void> TwoAtOnce(ProxyBench& bench) {
  Peer& a = bench.Connect();
  Peer& b = bench.Connect();
  if (!co_await a.Say(Request(bench, "GET http://HERE/a", ""))) co_return;
  co_await Ask(b, Request(bench, "GET http://HERE/b", ""));
  co_await a.HearAnswer();
}
Task<void> SaysNothing(Peer& proxy, int) { co_await proxy.HearEnd(); }

TEST_F(ForwardRouterTest, BeyondTheLimitOfItsDestinationARequestIsRefused) {
  BenchSetup setup{.origin = SaysNothing};
  setup.router.limits.pool.links_per_key = 1;
  Run(TwoAtOnce, setup);
  EXPECT_EQ(bench_->clients().at(1)->http().status(), 503);
  EXPECT_EQ(bench_->origins().size(), 1u);
}

}  // namespace
}  // namespace egret
