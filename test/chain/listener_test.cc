// Which chain takes a connection.
#include "source/chain/listener.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/chain/chain_test_base.h"
#include "test/policy/support.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

class ChainMatchTest : public ChainTestBase {
 protected:
  ChainMatchTest() : connection_(MakeConnection(far_)) {}
  std::unique_ptr<PipeStream> far_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(ChainMatchTest, WithoutConditionsItTakesEverything) { EXPECT_TRUE(ChainMatch().Matches(*connection_)); }

TEST_F(ChainMatchTest, P06_ServerNamesMatchByLabel) {
  const auto matches = [&](const std::string& pattern, const std::string& sni) {
    ChainMatch match;
    match.server_names = {"never.example", pattern};
    connection_->sni = sni;
    return match.Matches(*connection_);
  };
  EXPECT_TRUE(matches("example.com", "example.com"));
  EXPECT_FALSE(matches("example.com", "www.example.com"));
  EXPECT_FALSE(matches("example.com", "example.com.evil"));
  EXPECT_TRUE(matches("*.example.com", "www.example.com"));
  EXPECT_FALSE(matches("*.example.com", "example.com"));
  EXPECT_FALSE(matches("*.example.com", ".example.com"));
  EXPECT_FALSE(matches("*.example.com", "evil-example.com"));
  EXPECT_TRUE(matches(".example.com", "example.com"));
  EXPECT_TRUE(matches(".example.com", "a.b.example.com"));
  EXPECT_FALSE(matches(".example.com", "evilexample.com"));
  EXPECT_FALSE(matches("example.com", ""));
}

TEST_F(ChainMatchTest, ProtocolAlpnPortAndSourceMustAllHold) {
  ChainMatch match;
  match.protocol = Protocol::kTls;
  match.alpn = {"h2", "http/1.1"};
  match.ports = {443, 8443};
  match.sources = {*Cidr::Parse("10.0.0.0/8")};
  EXPECT_FALSE(match.Matches(*connection_));
  connection_->protocol = Protocol::kTls;
  connection_->alpn = {"http/1.1"};
  connection_->target = To("example.com:8443");
  connection_->peer = {Ip("10.1.2.3"), 4000};
  EXPECT_TRUE(match.Matches(*connection_));
  connection_->peer.address = Ip("11.1.2.3");
  EXPECT_FALSE(match.Matches(*connection_));
  connection_->peer.address = Ip("10.1.2.3");
  connection_->alpn = {"h3"};
  EXPECT_FALSE(match.Matches(*connection_));
  connection_->alpn = {"h2"};
  connection_->target.reset();  // then the port that it was accepted on
  EXPECT_FALSE(match.Matches(*connection_));
  connection_->local.port = 443;
  EXPECT_TRUE(match.Matches(*connection_));
  connection_->protocol = Protocol::kOther;
  EXPECT_FALSE(match.Matches(*connection_));
}

TEST_F(ChainMatchTest, AVerdictIsAPermitThatTheConnectionHolds) {
  const auto policy = Rules({Allow("any", {"example.com"})});
  const Target target = To("example.com:443");
  Facts facts;
  facts.target = &target;
  facts.identity = Fact<const Identity*>::Absent();
  Ruling<Admission> admission = policy->DecideTarget(Stack(), facts, Ask::kTunnel);
  ASSERT_TRUE(admission.permit);
  const std::vector<IpAddress> addresses = {Ip("93.184.216.34")};
  facts.resolved = std::span<const IpAddress>(addresses);
  const AddressRuling address = policy->DecideAddress(*admission.permit, facts);
  ASSERT_TRUE(address.permit);
  facts.protocol = Protocol::kTls;
  facts.sni = std::string_view("example.com");
  HelloRuling hello = policy->DecideHello(address.permit->binding(), Stack(), facts);
  ASSERT_TRUE(hello.relay);

  ChainMatch relay, inspect;
  relay.verdict = ChainMatch::Verdict::kRelay;
  inspect.verdict = ChainMatch::Verdict::kInspect;
  EXPECT_FALSE(relay.Matches(*connection_));
  connection_->relay_permit = std::move(hello.relay);
  EXPECT_TRUE(relay.Matches(*connection_));
  EXPECT_FALSE(inspect.Matches(*connection_));
}

// Names itself in the record.
class Named final : public NetworkFilter {
 public:
  explicit Named(std::string name, bool terminal) : name_(std::move(name)), terminal_(terminal) {}
  Task<void> Handle(Connection& connection, NetworkNext next) const override {
    connection.parent_id += name_;
    if (!terminal_) co_await next(connection);
  }

 private:
  std::string name_;
  bool terminal_;
};

TEST_F(ChainMatchTest, ListenerFiltersComeFirstThenTheFirstChainThatMatches) {
  auto listener = std::make_shared<ListenerChains>();
  listener->listener_filters.push_back(std::make_unique<Named>("a", false));
  listener->listener_filters.push_back(std::make_unique<Named>("b", false));
  for (const char* name : {"x", "y", "z"}) {
    FilterChain chain;
    if (name[0] == 'x') chain.match.protocol = Protocol::kTls;
    chain.filters.push_back(std::make_unique<Named>(name, true));
    listener->chains.push_back(std::move(chain));
  }
  connection_->listener = listener;
  RunTask(loop_, RunConnection(*connection_));
  EXPECT_EQ(connection_->parent_id, "aby");
}

TEST_F(ChainMatchTest, WhatNoChainTakesIsRefused) {
  auto listener = std::make_shared<ListenerChains>();
  FilterChain chain;
  chain.match.protocol = Protocol::kTls;
  chain.filters.push_back(std::make_unique<Named>("x", true));
  listener->chains.push_back(std::move(chain));
  connection_->listener = listener;
  connection_->protocol = Protocol::kHttp;
  connection_->record = RecordHolder(*worker_);
  far_->Finish();
  RunTask(loop_, RunConnection(*connection_));
  EXPECT_EQ(connection_->parent_id, "");
  EXPECT_EQ(connection_->record->failure.fault, Fault::kNoChain);
  EXPECT_TRUE(far_->in().bytes.starts_with("HTTP/1.1 403 Forbidden\r\n"));
}

}  // namespace
}  // namespace egret
