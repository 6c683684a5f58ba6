// Dialling over loopback: failures told apart, Happy Eyeballs' order, nothing left open.
#include "source/io/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <memory>
#include <string>
#include <vector>

#include "source/base/frame_pool.h"
#include "source/event/loop.h"
#include "source/io/socket_stream.h"
#include "test/support/run_task.h"
#include "test/support/socket_pair.h"

namespace egret {
namespace {

// Listens with an accept queue that is full: a connect() to it hears nothing, as behind a filter that drops.
class BlackHole {
 public:
  explicit BlackHole(const Endpoint& where) : listener_(ListenOn(where, 0)) {
    if (listener_ < 0) return;
    for (int i = 0; i < 4; ++i) fillers_.push_back(ConnectTo(LocalOf(listener_), true));
  }
  ~BlackHole() {
    for (const int fd : fillers_) close(fd);
    if (listener_ >= 0) close(listener_);
  }
  BlackHole(const BlackHole&) = delete;
  BlackHole& operator=(const BlackHole&) = delete;
  bool works() const { return listener_ >= 0; }
  Endpoint endpoint() const { return LocalOf(listener_); }

 private:
  int listener_;
  std::vector<int> fillers_;
};

class DialTest : public testing::Test {
 protected:
  ~DialTest() override {
    EXPECT_EQ(FramePool::live_bytes(), 0u);
    EXPECT_EQ(OpenDescriptors(), descriptors_);
  }
  DialResult Dial(const std::vector<IpAddress>& addresses, uint16_t port) {
    return RunTask(loop_, DialAny(addresses, port, options_));
  }
  // A port on which nobody listens.
  static uint16_t DeadPort() {
    const int fd = ListenOn({Loopback4(), 0});
    const uint16_t port = LocalOf(fd).port;
    close(fd);
    return port;
  }

  Loop loop_;
  size_t descriptors_ = OpenDescriptors();
  DialOptions options_;
};

TEST_F(DialTest, OneAddressIsReachedWithNoDelayAndThePeerIsWhoWasAskedFor) {
  const int listener = ListenOn({Loopback4(), 0});
  DialResult result = Dial({Loopback4()}, LocalOf(listener).port);
  ASSERT_NE(result.stream, nullptr);
  EXPECT_EQ(result.fault, Fault::kNone);
  EXPECT_EQ(result.peer, LocalOf(listener));
  EXPECT_TRUE(result.failed.empty());
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  const int fd = result.stream->AsSocket()->fd();
  ASSERT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  EXPECT_NE(no_delay, 0);
  EXPECT_EQ(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  close(listener);
}

TEST_F(DialTest, T07_ARefusalIsToldWithItsErrno) {
  const uint16_t port = DeadPort();
  const DialResult result = Dial({Loopback4()}, port);
  EXPECT_EQ(result.stream, nullptr);
  EXPECT_EQ(result.fault, Fault::kConnectRefused);
  ASSERT_EQ(result.failed.size(), 1u);
  EXPECT_EQ(result.failed[0].error, ECONNREFUSED);
  EXPECT_EQ(result.failed[0].to, (Endpoint{Loopback4(), port}));
}

TEST_F(DialTest, T07_ASilentAddressTimesOut) {
  const BlackHole hole({Loopback4(), 0});
  options_.connect_timeout_ms = 30;
  const DialResult one = Dial({Loopback4()}, hole.endpoint().port);
  EXPECT_EQ(one.fault, Fault::kConnectTimeout);
  const DialResult two = Dial({Loopback4(), Loopback4()}, hole.endpoint().port);
  EXPECT_EQ(two.fault, Fault::kConnectTimeout);
  EXPECT_EQ(two.failed.size(), 1u);  // there was no time for a second attempt
}

TEST_F(DialTest, T07_AnUnroutableAddressSaysSo) {
  const DialResult result = Dial({IpAddress::Parse("192.0.2.1").value()}, 80);  // the test's network has loopback only
  EXPECT_EQ(result.fault, Fault::kConnectUnreachable);
}

TEST_F(DialTest, EveryErrnoHasItsFault) {
  EXPECT_EQ(ConnectFault(ECONNREFUSED), Fault::kConnectRefused);
  EXPECT_EQ(ConnectFault(ETIMEDOUT), Fault::kConnectTimeout);
  EXPECT_EQ(ConnectFault(EHOSTUNREACH), Fault::kConnectUnreachable);
  EXPECT_EQ(ConnectFault(ENETUNREACH), Fault::kConnectUnreachable);
  EXPECT_EQ(ConnectFault(EACCES), Fault::kConnectProhibited);
  EXPECT_EQ(ConnectFault(EPERM), Fault::kConnectProhibited);
  EXPECT_EQ(ConnectFault(ECONNRESET), Fault::kConnectReset);
  EXPECT_EQ(ConnectFault(EADDRNOTAVAIL), Fault::kLocalPortExhausted);
  EXPECT_EQ(ConnectFault(EMFILE), Fault::kDescriptorsExhausted);
  EXPECT_EQ(ConnectFault(ENFILE), Fault::kDescriptorsExhausted);
  EXPECT_EQ(ConnectFault(EINVAL), Fault::kConnectFailed);
}

TEST_F(DialTest, D11_AnAddressThatRefusesIsPassedOverAtOnce) {
  const int listener = ListenOn({Loopback4(), 0});
  options_.attempt_ms = 3600000;  // only the refusal can bring the second one on
  const IpAddress other = IpAddress::Parse("127.0.0.2").value();
  DialResult result = Dial({other, Loopback4()}, LocalOf(listener).port);
  ASSERT_NE(result.stream, nullptr);
  EXPECT_EQ(result.peer.address, Loopback4());
  ASSERT_EQ(result.failed.size(), 1u);
  EXPECT_EQ(result.failed[0].to.address, other);
  EXPECT_EQ(result.failed[0].fault, Fault::kConnectRefused);
  close(listener);
}

TEST_F(DialTest, D10_AnIPv6BlackHoleCostsOneDelayAndThenIPv4Wins) {
  for (int i = 0; i < 20; ++i) {
    const int listener = ListenOn({Loopback4(), 0});
    const uint16_t port = LocalOf(listener).port;
    const BlackHole hole({Loopback6(), port});
    if (!hole.works()) {  // somebody else has the port
      close(listener);
      continue;
    }
    options_.attempt_ms = 20;
    const uint64_t start = loop_.now_ms();
    DialResult result = Dial({Loopback4(), Loopback6()}, port);
    EXPECT_GE(loop_.now_ms() - start, 20u);  // IPv6 was first and had its time
    ASSERT_NE(result.stream, nullptr);
    EXPECT_EQ(result.peer, (Endpoint{Loopback4(), port}));
    EXPECT_TRUE(result.failed.empty());  // it lost, it did not fail
    close(listener);
    return;
  }
  FAIL() << "no port is free in both families";
}

TEST_F(DialTest, TheFamiliesTakeTurnsAndIPv6Begins) {
  const uint16_t port = DeadPort();
  const auto at = [](const char* text) { return IpAddress::Parse(text).value(); };
  const DialResult result =
      Dial({at("127.0.0.1"), at("127.0.0.2"), at("127.0.0.3"), at("::1"), at("2001:db8::1")}, port);
  std::string order;
  for (const DialAttempt& attempt : result.failed) order += attempt.to.address.ToString() + " ";
  EXPECT_EQ(order, "::1 127.0.0.1 2001:db8::1 127.0.0.2 127.0.0.3 ");
  EXPECT_EQ(result.fault, Fault::kConnectRefused);
}

TEST_F(DialTest, NoRouteIsToldOnlyWhereNothingSaysMore) {
  const uint16_t port = DeadPort();
  const IpAddress lost = IpAddress::Parse("192.0.2.1").value();
  EXPECT_EQ(Dial({Loopback4(), lost}, port).fault, Fault::kConnectRefused);
  EXPECT_EQ(Dial({lost, lost}, port).fault, Fault::kConnectUnreachable);
}

TEST_F(DialTest, NoMoreAttemptsAreMadeThanAllowed) {
  const std::vector<IpAddress> many(100, Loopback4());
  EXPECT_EQ(Dial(many, DeadPort()).failed.size(), options_.max_attempts);
  EXPECT_EQ(Dial({}, 80).fault, Fault::kDnsNoAddress);
}

TEST_F(DialTest, R02_WithoutDescriptorsItFailsCleanly) {
  const int listener = ListenOn({Loopback4(), 0});
  // Once with descriptors: UBSan opens a pipe where it meets a type of object for the first time.
  const uint16_t dead = DeadPort();
  EXPECT_EQ(Dial({Loopback4()}, dead).fault, Fault::kConnectRefused);
  EXPECT_EQ(Dial({Loopback4(), Loopback4()}, dead).fault, Fault::kConnectRefused);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);
  close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const DialResult one = Dial({Loopback4()}, LocalOf(listener).port);
  const DialResult two = Dial({Loopback4(), Loopback4()}, LocalOf(listener).port);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(one.fault, Fault::kDescriptorsExhausted);
  EXPECT_EQ(two.fault, Fault::kDescriptorsExhausted);
  close(listener);
}

TEST_F(DialTest, ADialThatIsDestroyedLeavesNoDescriptor) {
  const BlackHole hole({Loopback4(), 0});
  options_.attempt_ms = 1;
  const std::vector<IpAddress> one = {Loopback4()}, three(3, Loopback4());
  for (const std::vector<IpAddress>& addresses : {one, three}) {
    const size_t before = OpenDescriptors();
    TestJoiner joiner;
    auto task = DialAny(addresses, hole.endpoint().port, options_);
    task.Start(joiner);
    for (int i = 0; i < 100 && OpenDescriptors() < before + addresses.size(); ++i) loop_.Turn(20);
    EXPECT_EQ(OpenDescriptors(), before + addresses.size());
    task.Cancel();
    EXPECT_EQ(OpenDescriptors(), before);
  }
}

}  // namespace
}  // namespace egret
