// The resolver against a scripted name server: answers of every kind, the cache and its bounds, sharing, cancelling.
#include "source/io/ares_resolver.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "source/base/frame_pool.h"
#include "source/base/strings.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "test/support/dns_server.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

using Outcome = Result<Resolved, Fault>;

Task<void> ResolveInto(Resolver& resolver, std::string name, std::optional<Outcome>& into) {
  into.emplace(co_await resolver.Resolve(name));
}

std::string Text(const Outcome& outcome) {
  if (!outcome.ok()) return std::string(TextOf(outcome.error()).detail);
  std::string text;
  for (const IpAddress& address : outcome->addresses) Append(text, text.empty() ? "" : " ", address.ToString());
  return text;
}

class AresResolverTest : public testing::Test {
 protected:
  ~AresResolverTest() override {
    resolver_.reset();
    EXPECT_EQ(FramePool::live_bytes(), 0u);
    for (const std::string& path : files_) unlink(path.c_str());
  }

  void Serve(DnsServer::Script script) {
    server_ = std::make_unique<DnsServer>(std::move(script));
    options_.servers = {server_->endpoint()};
    options_.hosts = "/dev/null";
  }
  AresResolver& resolver() {
    if (resolver_ == nullptr) resolver_ = std::make_unique<AresResolver>(options_);
    return *resolver_;
  }
  Outcome Ask(const std::string& name) {
    std::optional<Outcome> outcome;
    RunTask(loop_, ResolveInto(resolver(), name, outcome));
    return outcome ? *outcome : Outcome(Fault::kInternal);
  }
  void TurnUntilLanded(const std::optional<Outcome>& outcome) {
    for (int i = 0; i < 10000 && !outcome; ++i) loop_.Turn(20);
    ASSERT_TRUE(outcome);
  }
  void TurnUntilAsked(size_t questions) {
    for (int i = 0; i < 10000 && server_->seen().size() < questions; ++i) loop_.Turn(1);
    ASSERT_GE(server_->seen().size(), questions);
  }
  std::string File(const std::string& name, const std::string& text) {
    std::string path = Cat(testing::TempDir(), "/", name, ".", static_cast<int>(getpid()));
    std::ofstream(path) << text;
    files_.push_back(path);
    return path;
  }

  Loop loop_;
  AresResolverOptions options_;
  std::unique_ptr<DnsServer> server_;
  std::unique_ptr<AresResolver> resolver_;
  std::vector<std::string> files_;
};

// A name server that knows both families of every name.
DnsReply BothFamilies(const DnsQuestion& question) {
  return question.type == kDnsA ? DnsReply().Add(question.name, "192.0.2.1")
                                : DnsReply().Add(question.name, "2001:db8::1");
}

TEST_F(AresResolverTest, BothFamiliesAreAskedAtOnceAndIPv6ComesFirst) {
  Serve(BothFamilies);
  const Outcome outcome = Ask("both.test");
  EXPECT_EQ(Text(outcome), "2001:db8::1 192.0.2.1");
  EXPECT_FALSE(outcome->from_cache);
  EXPECT_EQ(server_->seen().size(), 2u);
}

TEST_F(AresResolverTest, D04_ANameThatFlipsWithTtlZeroIsAskedOnceAndItsListDoesNotChangeWhileItIsUsed) {
  Serve([](const DnsQuestion& question) {
    if (question.type != kDnsA) return DnsReply();
    return DnsReply().Add(question.name, question.nth == 1 ? "192.0.2.1" : "127.0.0.1", 0);
  });
  options_.min_ttl_ms = 60000;
  EXPECT_EQ(Text(Ask("flip.test")), "192.0.2.1");
  EXPECT_EQ(server_->seen().size(), 2u);
  const Outcome again = Ask("flip.test");
  EXPECT_EQ(Text(again), "192.0.2.1");
  EXPECT_TRUE(again->from_cache);
  EXPECT_EQ(server_->seen().size(), 2u);
  EXPECT_EQ(resolver().counters().cache_hits.Read(), 1u);
}

TEST_F(AresResolverTest, AnAnswerIsAskedForAgainOnceItsClampedTtlIsOver) {
  Serve([](const DnsQuestion& question) {
    if (question.type != kDnsA) return DnsReply();
    return DnsReply().Add(question.name, question.nth == 1 ? "192.0.2.1" : "192.0.2.2", 0x80000000u);
  });
  options_.min_ttl_ms = 1;
  options_.max_ttl_ms = 20;
  EXPECT_EQ(Text(Ask("huge-ttl.test")), "192.0.2.1");
  const uint64_t start = loop_.now_ms();
  while (loop_.now_ms() < start + 20) loop_.Turn(5);
  EXPECT_EQ(Text(Ask("huge-ttl.test")), "192.0.2.2");
}

TEST_F(AresResolverTest, D06_NamesWithoutAddressesSayWhy) {
  Serve([](const DnsQuestion& question) {
    DnsReply reply;
    if (question.name == "nxdomain.test") reply.rcode = kDnsNxDomain;
    if (question.name == "servfail.test") reply.rcode = kDnsServFail;
    if (question.name == "refused.test") reply.rcode = kDnsRefused;
    if (question.name == "garbled.test") (reply = BothFamilies(question)).garble = true;
    if (question.name == "dangling.test") reply.AddCname(question.name, "nowhere.test");
    if (question.name == "loop.test") reply.AddCname(question.name, "loop2.test").AddCname("loop2.test", question.name);
    return reply;
  });
  EXPECT_EQ(Text(Ask("nxdomain.test")), "dns_not_found");
  EXPECT_EQ(Text(Ask("empty.test")), "dns_no_address");
  EXPECT_EQ(Text(Ask("dangling.test")), "dns_no_address");
  EXPECT_EQ(Text(Ask("loop.test")), "dns_no_address");
  EXPECT_EQ(Text(Ask("servfail.test")), "dns_failure");
  EXPECT_EQ(Text(Ask("refused.test")), "dns_failure");
  EXPECT_EQ(Text(Ask("garbled.test")), "dns_failure");
  EXPECT_EQ(Text(Ask(std::string(64, 'a') + ".test")), "dns_not_found");
  EXPECT_EQ(Text(Ask(std::string(300, '.'))), "dns_not_found");
  EXPECT_EQ(Text(Ask("")), "dns_not_found");
  EXPECT_EQ(resolver().counters().timeouts.Read(), 0u);
}

TEST_F(AresResolverTest, D06_AChainOfTwentyAliasesIsFollowedAndItsSmallestTtlCounts) {
  Serve([](const DnsQuestion& question) {
    DnsReply reply;
    for (int i = 0; i < 20; ++i)
      reply.AddCname(i == 0 ? question.name : Cat("c", i, ".test"), Cat("c", i + 1, ".test"), 0);
    if (question.type == kDnsA) reply.Add("c20.test", "192.0.2.20", 86400);
    return reply;
  });
  options_.min_ttl_ms = 1;
  EXPECT_EQ(Text(Ask("chain.test")), "192.0.2.20");
  const uint64_t start = loop_.now_ms();
  while (loop_.now_ms() < start + 2) loop_.Turn(2);
  EXPECT_FALSE(Ask("chain.test")->from_cache);
}

TEST_F(AresResolverTest, D06_ATruncatedAnswerIsFetchedOverTcp) {
  Serve([](const DnsQuestion& question) {
    DnsReply reply;
    reply.truncated = !question.tcp;
    if (question.tcp && question.type == kDnsA)
      for (int i = 1; i < 200; ++i) reply.Add(question.name, Cat("198.51.100.", i));
    return reply;
  });
  const Outcome outcome = Ask("large.test");
  ASSERT_TRUE(outcome.ok()) << Text(outcome);
  EXPECT_EQ(outcome->addresses.size(), 32u);  // no more than anybody would dial
  EXPECT_EQ(outcome->addresses.front().ToString(), "198.51.100.1");
}

TEST_F(AresResolverTest, D06_AnswersToAnotherQuestionAreNotTaken) {
  Serve([](const DnsQuestion& question) {
    DnsReply reply = BothFamilies(question);
    reply.wrong_id = question.name == "id.test";
    reply.wrong_question = question.name == "question.test";
    return reply;
  });
  options_.timeout_ms = 60;
  EXPECT_EQ(Text(Ask("id.test")), "dns_timeout");
  EXPECT_EQ(Text(Ask("question.test")), "dns_timeout");
}

TEST_F(AresResolverTest, D06_OneFamilyThatFailsDoesNotTakeTheOtherWithIt) {
  Serve([](const DnsQuestion& question) {
    DnsReply reply;
    if (question.type == kDnsA) return reply.Add(question.name, "192.0.2.1");
    reply.rcode = kDnsServFail;
    reply.drop = question.name == "silent.test";
    return reply;
  });
  options_.straggler_ms = 20;
  EXPECT_EQ(Text(Ask("servfail6.test")), "192.0.2.1");
  EXPECT_EQ(Text(Ask("silent.test")), "192.0.2.1");
}

TEST_F(AresResolverTest, D07_ADeadServerCostsOnlyTheNamesThatNeedIt) {
  Serve([](const DnsQuestion& question) {
    DnsReply reply = BothFamilies(question);
    reply.drop = question.name == "dead.test";
    return reply;
  });
  options_.timeout_ms = 200;
  std::optional<Outcome> dead;
  Nursery nursery;
  nursery.Start(ResolveInto(resolver(), "dead.test", dead));
  EXPECT_EQ(Text(Ask("alive.test")), "2001:db8::1 192.0.2.1");
  EXPECT_FALSE(dead);
  TurnUntilLanded(dead);
  EXPECT_EQ(Text(*dead), "dns_timeout");
  EXPECT_EQ(resolver().counters().timeouts.Read(), 1u);
  EXPECT_EQ(resolver().names(), 1u);  // a timeout says nothing about the name
}

TEST_F(AresResolverTest, D07_ADeadServerIsPassedOverForALiveOne) {
  Serve(BothFamilies);
  DnsServer dead([](const DnsQuestion&) {
    DnsReply reply;
    reply.drop = true;
    return reply;
  });
  options_.servers = {dead.endpoint(), server_->endpoint()};
  EXPECT_EQ(Text(Ask("failover.test")), "2001:db8::1 192.0.2.1");
}

TEST_F(AresResolverTest, D08_TheCacheHoldsNoMoreNamesThanItMayAndForgetsTheOneUsedLeastRecently) {
  Serve(BothFamilies);
  options_.max_names = 100;
  options_.ask_v6 = false;
  ASSERT_TRUE(Ask("kept.test").ok());
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(Ask(Cat("n", i, ".test")).ok());
    ASSERT_TRUE(Ask("kept.test")->from_cache);
  }
  EXPECT_EQ(resolver().names(), 100u);
  EXPECT_EQ(resolver().counters().queries.Read(), 1001u);
  EXPECT_EQ(resolver().counters().evictions.Read(), 901u);
  EXPECT_TRUE(Ask("n999.test")->from_cache);
  EXPECT_FALSE(Ask("n0.test")->from_cache);
}

TEST_F(AresResolverTest, D08_MissingNamesAreRememberedForAWhileInAPlaceOfTheirOwn) {
  Serve([](const DnsQuestion& question) {
    if (question.name == "here.test") return BothFamilies(question);
    DnsReply reply;
    reply.rcode = kDnsNxDomain;
    return reply;
  });
  options_.max_negative_names = 10;
  ASSERT_TRUE(Ask("here.test").ok());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Text(Ask(Cat("miss", i, ".test"))), "dns_not_found");
  EXPECT_EQ(resolver().names(), 11u);
  const size_t asked = server_->seen().size();
  EXPECT_EQ(Text(Ask("miss99.test")), "dns_not_found");
  EXPECT_TRUE(Ask("here.test")->from_cache);
  EXPECT_EQ(server_->seen().size(), asked);
}

TEST_F(AresResolverTest, D08_NamesBeyondTheLimitOfOpenQuestionsAreRefusedAtOnce) {
  Serve([](const DnsQuestion& question) {
    DnsReply reply = BothFamilies(question);
    reply.hold = true;
    return reply;
  });
  options_.max_queries = 2;
  std::optional<Outcome> first, second, third;
  Nursery nursery;
  nursery.Start(ResolveInto(resolver(), "a.test", first));
  nursery.Start(ResolveInto(resolver(), "b.test", second));
  nursery.Start(ResolveInto(resolver(), "c.test", third));
  ASSERT_TRUE(third);
  EXPECT_EQ(Text(*third), "overload");
  server_->Release();
  TurnUntilLanded(first);
  TurnUntilLanded(second);
  EXPECT_EQ(Text(Ask("c.test")), "2001:db8::1 192.0.2.1");
}

TEST_F(AresResolverTest, AskersOfOneNameShareOneQuestion) {
  Serve([](const DnsQuestion& question) {
    DnsReply reply = BothFamilies(question);
    reply.hold = true;
    return reply;
  });
  constexpr size_t kAskers = 50;
  std::vector<std::optional<Outcome>> outcomes(kAskers);
  Nursery nursery;
  for (auto& outcome : outcomes) nursery.Start(ResolveInto(resolver(), "popular.test", outcome));
  TurnUntilAsked(2);
  server_->Release();
  for (auto& outcome : outcomes) {
    TurnUntilLanded(outcome);
    EXPECT_EQ(Text(*outcome), "2001:db8::1 192.0.2.1");
  }
  EXPECT_EQ(server_->seen().size(), 2u);
  EXPECT_EQ(resolver().counters().queries.Read(), 1u);
  EXPECT_EQ(resolver().counters().joined.Read(), kAskers - 1);
}

TEST_F(AresResolverTest, AnAskerMayLeaveAndTheAnswerStillServesTheOthersAndTheCache) {
  Serve([](const DnsQuestion& question) {
    DnsReply reply = BothFamilies(question);
    reply.hold = true;
    return reply;
  });
  std::optional<Outcome> left, stayed;
  Nursery leaving, staying;
  leaving.Start(ResolveInto(resolver(), "shared.test", left));  // the first: the question was asked on its stack
  staying.Start(ResolveInto(resolver(), "shared.test", stayed));
  TurnUntilAsked(2);
  leaving.Clear();
  server_->Release();
  TurnUntilLanded(stayed);
  EXPECT_FALSE(left);

  std::optional<Outcome> alone;
  leaving.Start(ResolveInto(resolver(), "alone.test", alone));
  leaving.Clear();
  while (resolver().names() < 2) loop_.Turn(20);
  EXPECT_TRUE(Ask("alone.test")->from_cache);
}

TEST_F(AresResolverTest, D09_AnAnswerInsideTheCallAndAnAskThatFollowsFromItAreClean) {
  options_.hosts = "/dev/null";
  options_.servers = {{IpAddress::V4(0xffffffff), 53}};  // broadcast: the send fails inside ares_query
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Text(Ask("inside.test")), "dns_failure");
  EXPECT_EQ(resolver().counters().queries.Read(), 3u);
}

Task<void> Chase(Resolver& resolver, int hops, int& done) {
  for (int i = 0; i < hops; ++i) {
    const Outcome outcome = co_await resolver.Resolve(Cat("hop", i % 7, ".test"));
    if (!outcome.ok()) co_return;
  }
  ++done;
}

TEST_F(AresResolverTest, D09_ThoseWokenByAnAnswerMayAskAgainAtOnceInAFullCache) {
  Serve(BothFamilies);
  options_.max_names = 2;
  int done = 0;
  Nursery nursery;
  for (int i = 0; i < 20; ++i) nursery.Start(Chase(resolver(), 50, done));
  for (int i = 0; i < 100000 && done < 20; ++i) loop_.Turn(20);
  EXPECT_EQ(done, 20);
}

TEST_F(AresResolverTest, AResolverThatGoesAnswersThoseWhoWait) {
  Serve([](const DnsQuestion&) {
    DnsReply reply;
    reply.drop = true;
    return reply;
  });
  std::optional<Outcome> outcome, gone;
  Nursery nursery, leaving;
  nursery.Start(ResolveInto(resolver(), "one.test", outcome));
  leaving.Start(ResolveInto(resolver(), "two.test", gone));
  loop_.Turn(0);
  resolver_.reset();
  leaving.Clear();
  TurnUntilLanded(outcome);
  EXPECT_EQ(Text(*outcome), "dns_failure");
}

TEST_F(AresResolverTest, D12_NoSearchListIsEverUsed) {
  Serve([](const DnsQuestion&) {
    DnsReply reply;
    reply.rcode = kDnsNxDomain;
    return reply;
  });
  setenv("LOCALDOMAIN", "svc.cluster.local cluster.local", 1);
  setenv("RES_OPTIONS", "ndots:5", 1);
  EXPECT_EQ(Text(Ask("api.example.test")), "dns_not_found");
  EXPECT_EQ(Text(Ask("single")), "dns_not_found");
  unsetenv("LOCALDOMAIN");
  unsetenv("RES_OPTIONS");
  const std::vector<DnsQuestion> seen = server_->seen();
  ASSERT_EQ(seen.size(), 4u);
  for (const DnsQuestion& question : seen)
    EXPECT_TRUE(question.name == "api.example.test" || question.name == "single");
}

TEST_F(AresResolverTest, D13_LocalhostLiteralsAndTheHostsFileNeedNoQuery) {
  Serve(BothFamilies);
  options_.hosts = File("hosts",
                        "# a comment\n127.0.0.1 localhost\n192.0.2.7 Alias.test. other.test # here\n"
                        "fe80::1%eth0 scoped.test\n2001:db8::7 alias.test\nnot-an-address x.test\n");
  EXPECT_EQ(Text(Ask("localhost")), "::1 127.0.0.1");
  EXPECT_EQ(Text(Ask("a.b.localhost")), "::1 127.0.0.1");
  EXPECT_EQ(Text(Ask("alias.test")), "2001:db8::7 192.0.2.7");
  EXPECT_EQ(Text(Ask("other.test")), "192.0.2.7");
  EXPECT_EQ(Text(Ask("2001:db8::9")), "2001:db8::9");
  EXPECT_EQ(server_->seen().size(), 0u);
  EXPECT_EQ(Text(Ask("scoped.test")), "2001:db8::1 192.0.2.1");  // of the server, not of the file
}

TEST_F(AresResolverTest, D13_AChangedHostsFileTakesEffect) {
  Serve(BothFamilies);
  options_.recheck_ms = 0;
  options_.hosts = File("hosts", "192.0.2.7 moving.test\n");
  EXPECT_EQ(Text(Ask("moving.test")), "192.0.2.7");
  File("hosts", "192.0.2.77 moving.test\n");
  EXPECT_EQ(Text(Ask("moving.test")), "192.0.2.77");
  unlink(options_.hosts.c_str());
  EXPECT_EQ(Text(Ask("moving.test")), "2001:db8::1 192.0.2.1");
}

TEST_F(AresResolverTest, ServersComeFromResolvConfWhereNoneAreGiven) {
  options_.hosts = "/dev/null";
  options_.resolv_conf = File("resolv", "search example.test\nnameserver 255.255.255.255\noptions ndots:5\n");
  EXPECT_EQ(Text(Ask("name.test")), "dns_failure");
}

}  // namespace
}  // namespace egret
