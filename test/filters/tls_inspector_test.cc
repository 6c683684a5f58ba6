// What tls_inspector learns from a connection's first bytes, on pipes. That a server which speaks first is noticed is
// a scenario of abort_test, since only a real dial gives a tunnel its upstream.
#include "source/filters/tls_inspector.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include "source/chain/listener.h"
#include "source/event/nursery.h"
#include "source/io/stream_io.h"
#include "source/policy/compile.h"
#include "test/chain/chain_test_base.h"
#include "test/support/tls_hello.h"

namespace egret {
namespace {

// Takes what the inspector passes on, and reads what is there.
class Taker final : public NetworkFilter {
 public:
  Taker(bool& reached, std::string& read) : reached_(reached), read_(read) {}
  Task<void> Handle(Connection& connection, NetworkNext) const override {
    reached_ = true;
    char block[512];
    for (Io io = connection.stream->Read(block); io.kind == Io::kBytes; io = connection.stream->Read(block))
      read_.append(block, io.bytes);
    co_return;
  }

 private:
  bool& reached_;
  std::string& read_;
};

class TlsInspectorTest : public ChainTestBase {
 protected:
  void SetUp() override {
    auto listener = std::make_shared<ListenerChains>();
    listener->listener_filters.push_back(std::make_unique<TlsInspectorFilter>(options_));
    FilterChain chain;
    chain.filters.push_back(std::make_unique<Taker>(reached_, read_));
    listener->chains.push_back(std::move(chain));
    connection_ = MakeConnection(client_);
    connection_->listener = std::move(listener);
    connection_->record = RecordHolder(*worker_);
    connection_->relay_limits.idle_ms = 30'000;
    running_.Start(RunConnection(*connection_));
  }
  void TearDown() override { running_.Clear(); }
  void Say(std::string_view bytes) {
    ASSERT_EQ(client_->Write(bytes).bytes, bytes.size());
    Settle();
  }
  bool over() const { return running_.empty(); }

  TlsInspectorOptions options_ = {.timeout_ms = 5000, .max_bytes = 2000};
  bool reached_ = false;
  std::string read_;
  std::unique_ptr<PipeStream> client_;
  std::unique_ptr<Connection> connection_;
  Nursery running_;
};

TEST_F(TlsInspectorTest, T11_AHelloThatComesByteByByteIsReadAndNothingOfItConsumed) {
  const std::string hello = TlsHello("Www.Example.com", "h2");
  for (const char c : hello) {
    EXPECT_FALSE(reached_);
    Say({&c, 1});
  }
  EXPECT_TRUE(reached_);
  EXPECT_EQ(read_, hello);
  EXPECT_EQ(connection_->protocol, Protocol::kTls);
  EXPECT_EQ(connection_->sni, "www.example.com");
  EXPECT_EQ(connection_->alpn, std::vector<std::string>{"h2"});
  EXPECT_EQ(connection_->record->carries, "tls");
  EXPECT_EQ(connection_->record->sni, "www.example.com");
  EXPECT_EQ(connection_->hello, nullptr);  // nobody asked
}

TEST_F(TlsInspectorTest, AFingerprintIsMadeWhereAPolicyAsks) {
  RuleSpec rule;
  rule.name = "bot";
  rule.action = RuleSpec::Action::kDeny;
  rule.from.ja3 = {"ada70206e40642a3e4461f35503241d5"};
  PolicySetSpec spec;
  PolicySpec& policy = spec.policies.emplace_back();
  policy.name = "p";
  policy.rules = {rule};
  std::ignore = worker_->Take({*Compile(spec), std::make_shared<const Chains>()});
  Say(TlsHello("a.example", "h2"));
  ASSERT_NE(connection_->hello, nullptr);
  EXPECT_EQ(connection_->hello->ja4.substr(0, 10), "t13d0103h2");
  EXPECT_EQ(connection_->hello->ja3.size(), 32u);
  EXPECT_EQ(connection_->record->hello, connection_->hello);
  EXPECT_FALSE(connection_->ech);
}

TEST_F(TlsInspectorTest, T10_AHelloMayHaveNoName) {
  Say(TlsHello(""));
  EXPECT_TRUE(reached_);
  EXPECT_EQ(connection_->protocol, Protocol::kTls);
  EXPECT_EQ(connection_->sni, "");
}

TEST_F(TlsInspectorTest, T12_ClearHttpIsToldFromItsFirstLine) {
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const char c : request)
    if (!reached_) Say({&c, 1});
  EXPECT_TRUE(reached_);
  EXPECT_EQ(connection_->protocol, Protocol::kHttp);
  EXPECT_TRUE(request.starts_with(read_));
  EXPECT_FALSE(read_.empty());
}

TEST_F(TlsInspectorTest, T12_AnythingElseIsOther) {
  Say("SSH-2.0-OpenSSH_9\r\n");
  EXPECT_TRUE(reached_);
  EXPECT_EQ(connection_->protocol, Protocol::kOther);
  EXPECT_EQ(read_, "SSH-2.0-OpenSSH_9\r\n");
  EXPECT_EQ(connection_->record->carries, "other");
}

TEST_F(TlsInspectorTest, T13_ASlowHelloIsRefusedInTheWordsOfTls) {
  const std::string hello = TlsHello("example.com");
  for (size_t i = 0; i < 20 && !over(); ++i) {
    client_->Write(hello.substr(i, 1));
    Pass(1000);
  }
  EXPECT_FALSE(reached_);
  EXPECT_EQ(client_->in().bytes, std::string("\x15\x03\x03\x00\x02\x02\x31", 7));
  EXPECT_EQ(connection_->record->failure, (Failure{Side::kClient, Fault::kTlsHello}));
  Pass(10'000);
  EXPECT_TRUE(over());
}

// Else a client that pauses inside a request line would get past the rules for requests.
TEST_F(TlsInspectorTest, T13_WhatMayYetBecomeARequestIsReadAsOneAfterItsTime) {
  Say("GE");
  Pass(6000);
  EXPECT_TRUE(reached_);
  EXPECT_EQ(connection_->protocol, Protocol::kHttp);
  EXPECT_EQ(read_, "GE");
}

TEST_F(TlsInspectorTest, T13_OneByteOfAHelloIsNoOtherProtocol) {
  Say("\x16");
  Pass(6000);
  EXPECT_NE(connection_->protocol, Protocol::kOther);
}

TEST_F(TlsInspectorTest, T11_AHelloBeyondTheLimitIsRefused) {
  Say(TlsHello(std::string(3000, 'a')));
  EXPECT_FALSE(reached_);
  EXPECT_EQ(connection_->record->failure.fault, Fault::kTlsHello);
  client_->Finish();
  Settle();
  EXPECT_TRUE(over());
}

TEST_F(TlsInspectorTest, T13_AHandshakeThatIsNoHelloIsRefused) {
  Say(std::string("\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00", 10));
  EXPECT_FALSE(reached_);
  EXPECT_EQ(connection_->record->failure.fault, Fault::kTlsHello);
}

TEST_F(TlsInspectorTest, AClientThatEndsBeforeItSpokeIsToldInTheRecord) {
  client_->Finish();
  Settle();
  EXPECT_TRUE(over());
  EXPECT_FALSE(reached_);
  EXPECT_EQ(connection_->record->close_reason, "client_fin");
  EXPECT_FALSE(connection_->record->failure);
}

TEST_F(TlsInspectorTest, AClientThatResetsBeforeItSpokeIsToldInTheRecord) {
  client_->Reset();
  Settle();
  EXPECT_TRUE(over());
  EXPECT_FALSE(reached_);
  EXPECT_EQ(connection_->record->close_reason, "client_reset");
  EXPECT_EQ(connection_->record->failure.fault, Fault::kClientGone);
}

TEST_F(TlsInspectorTest, PartOfAHelloIsNoOtherProtocolThoughTheClientEndsThere) {
  Say(TlsHello("example.com").substr(0, 10));
  client_->Finish();
  Settle();
  EXPECT_FALSE(reached_);
  EXPECT_EQ(connection_->record->close_reason, "client_fin");
}

TEST_F(TlsInspectorTest, PartOfARequestIsReadAsOneThoughTheClientEndsThere) {
  Say("GET /secr");
  client_->Finish();
  Settle();
  EXPECT_TRUE(reached_);
  EXPECT_EQ(connection_->protocol, Protocol::kHttp);
}

TEST_F(TlsInspectorTest, T14_WhereNobodySpeaksTheIdleLimitEndsIt) {
  Pass(29'000);
  EXPECT_FALSE(over());
  Pass(2000);
  EXPECT_TRUE(over());
  EXPECT_FALSE(reached_);
  EXPECT_EQ(connection_->record->close_reason, "idle_timeout");
}

}  // namespace
}  // namespace egret
