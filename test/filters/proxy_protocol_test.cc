// proxy_protocol on pipes: whom it believes, what it takes, when it gives up.
#include "source/filters/proxy_protocol.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "source/chain/listener.h"
#include "source/event/nursery.h"
#include "test/chain/chain_test_base.h"
#include "test/support/proxy_header.h"

namespace egret {
namespace {

constexpr std::string_view kLine = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";

// Takes what is passed on, and reads what is there.
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

class ProxyProtocolTest : public ChainTestBase {
 protected:
  void Connect(std::string_view from) {
    auto listener = std::make_shared<ListenerChains>();
    ProxyProtocolOptions options;
    options.trusted = {*Cidr::Parse("10.0.0.0/8"), *Cidr::Parse("2001:db8::/32")};
    listener->listener_filters.push_back(std::make_unique<ProxyProtocolFilter>(std::move(options)));
    FilterChain chain;
    chain.filters.push_back(std::make_unique<Taker>(reached_, read_));
    listener->chains.push_back(std::move(chain));
    connection_ = MakeConnection(client_);
    connection_->listener = std::move(listener);
    connection_->peer = *Endpoint::Parse(from);
    connection_->local = *Endpoint::Parse("10.0.0.9:3128");
    running_.Start(RunConnection(*connection_));
    Settle();
  }
  void TearDown() override { running_.Clear(); }
  void Say(std::string_view bytes) {
    ASSERT_EQ(client_->Write(bytes).bytes, bytes.size());
    Settle();
  }
  uint64_t refused() const { return worker_->counters().failures[static_cast<size_t>(Fault::kProxyProtocol)].Read(); }
  bool over() const { return running_.empty(); }
  std::string ends() const { return Cat(connection_->peer.ToString(), " > ", connection_->local.ToString()); }

  bool reached_ = false;
  std::string read_;
  std::unique_ptr<PipeStream> client_;
  std::unique_ptr<Connection> connection_;
  Nursery running_;
};

TEST_F(ProxyProtocolTest, TheHeaderIsTakenOffAndItsAddressesHold) {
  Connect("10.0.0.1:5000");
  Say(Cat(kLine, "GET /"));
  EXPECT_TRUE(reached_);
  EXPECT_EQ(read_, "GET /");
  EXPECT_EQ(ends(), "192.0.2.1:56324 > 198.51.100.2:443");
  EXPECT_EQ(refused(), 0u);
}

TEST_F(ProxyProtocolTest, AHeaderMayComeByteByByte) {
  for (const std::string& header : {std::string(kLine), ProxyV2(0x21, 0x21, TcpOver6())}) {
    reached_ = false;
    Connect("[2001:db8::5]:5000");
    for (const char& c : header) {
      EXPECT_FALSE(reached_);
      Say({&c, 1});
    }
    EXPECT_TRUE(reached_);
    EXPECT_NE(connection_->peer.ToString(), "[2001:db8::5]:5000");
    running_.Clear();
  }
  EXPECT_EQ(read_, "");
}

TEST_F(ProxyProtocolTest, ALoadBalancerMaySpeakForItself) {
  Connect("10.0.0.1:5000");
  Say(Cat(ProxyV2(0x20, 0x11, TcpOver4()), "x"));
  EXPECT_EQ(read_, "x");
  EXPECT_EQ(ends(), "10.0.0.1:5000 > 10.0.0.9:3128");
}

TEST_F(ProxyProtocolTest, WhoIsNotTrustedIsNotReadAndKeepsItsAddress) {
  Connect("192.0.2.66:5000");
  EXPECT_TRUE(reached_);  // before it said anything
  EXPECT_EQ(ends(), "192.0.2.66:5000 > 10.0.0.9:3128");
  Connect("192.0.2.66:5000");
  Say(kLine);
  EXPECT_EQ(ends(), "192.0.2.66:5000 > 10.0.0.9:3128");
  EXPECT_EQ(refused(), 0u);
}

TEST_F(ProxyProtocolTest, WithoutAHeaderATrustedConnectionIsClosedAndCounted) {
  Connect("10.0.0.1:5000");
  Say("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(over());
  EXPECT_FALSE(reached_);
  EXPECT_EQ(refused(), 1u);
}

TEST_F(ProxyProtocolTest, AHostileLengthIsRefusedBeforeItsBytesCome) {
  Connect("10.0.0.1:5000");
  Say(ProxyV2(0x21, 0x11, std::string(65535, 'x')).substr(0, 16));
  EXPECT_TRUE(over());
  EXPECT_EQ(refused(), 1u);
}

TEST_F(ProxyProtocolTest, AHeaderThatEndsInsideIsCountedAndOneThatNeverBeginsIsNot) {
  Connect("10.0.0.1:5000");
  Say(kLine.substr(0, 20));
  client_->Finish();
  Settle();
  EXPECT_TRUE(over());
  EXPECT_EQ(refused(), 1u);
  Connect("10.0.0.1:5000");
  client_->Finish();
  Settle();
  EXPECT_TRUE(over());
  EXPECT_FALSE(reached_);
  EXPECT_EQ(refused(), 1u);
}

TEST_F(ProxyProtocolTest, TheWholeHeaderHasFiveSeconds) {
  Connect("10.0.0.1:5000");
  Say(kLine.substr(0, 20));
  Pass(4000);
  EXPECT_FALSE(over());
  Say(kLine.substr(20, 1));  // a trickle wins no time
  Pass(1500);
  EXPECT_TRUE(over());
  EXPECT_FALSE(reached_);
  EXPECT_EQ(refused(), 1u);
}

}  // namespace
}  // namespace egret
