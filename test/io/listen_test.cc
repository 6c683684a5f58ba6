// Listening sockets and accepting from them.
#include "source/io/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/descriptors.h"
#include "source/base/frame_pool.h"
#include "source/base/strings.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/io/port_owner.h"
#include "source/io/socket_stream.h"
#include "test/support/run_task.h"
#include "test/support/socket_pair.h"

namespace egret {
namespace {

ListenAddress At(std::string_view text) { return ListenAddress::Parse(text).value(); }

ListenSocket Open(std::string_view text, const ListenOptions& options = {}) {
  auto opened = ListenSocket::Open(At(text), options);
  if (!opened.ok()) ADD_FAILURE() << opened.error();
  return std::move(*opened);
}

std::string ErrorOf(const ListenAddress& address, const ListenOptions& options = {}) {
  const auto opened = ListenSocket::Open(address, options);
  return opened.ok() ? "" : opened.error();
}

TEST(Listen, AddressesAreReadAndWritten) {
  EXPECT_EQ(At("127.0.0.1:80").ToString(), "127.0.0.1:80");
  EXPECT_EQ(At("[::]:0").ToString(), "[::]:0");
  EXPECT_EQ(At("unix:/run/x.sock").path, "/run/x.sock");
  EXPECT_EQ(At("unix:/run/x.sock").ToString(), "unix:/run/x.sock");
  EXPECT_FALSE(ListenAddress::Parse("unix:"));
  EXPECT_FALSE(ListenAddress::Parse(Cat("unix:/", std::string(200, 'x'))));
  EXPECT_FALSE(ListenAddress::Parse("localhost:80"));
}

TEST(Listen, PortZeroTellsWhichPortWasGiven) {
  for (const char* text : {"127.0.0.1:0", "[::1]:0"}) {
    const ListenSocket socket = Open(text);
    EXPECT_NE(socket.bound().ip.port, 0);
    close(ConnectTo(socket.bound().ip));
  }
}

TEST(Listen, TheIPv6WildcardTakesIPv4UnlessToldNotTo) {
  const ListenSocket both = Open("[::]:0");
  close(ConnectTo({Loopback4(), both.bound().ip.port}));
  ListenOptions options;
  options.v6_only = true;
  const ListenSocket only = Open("[::]:0", options);
  const int fd = ListenOn({Loopback4(), only.bound().ip.port});  // so the same port is free in IPv4
  EXPECT_GE(fd, 0);
  close(fd);
}

TEST(Listen, ATakenPortNamesAddressErrnoAndOwner) {
  const ListenSocket first = Open("127.0.0.1:0");
  const std::string error = ErrorOf(first.bound());
  EXPECT_NE(error.find(first.bound().ToString()), std::string::npos) << error;
  EXPECT_NE(error.find("Address already in use"), std::string::npos) << error;
  EXPECT_NE(error.find(Cat("(pid ", getpid(), ")")), std::string::npos) << error;
  EXPECT_NE(WhoListens(first.bound().ip.port), "");
}

TEST(Listen, AnAddressOfNobodysIsExplained) {
  EXPECT_NE(ErrorOf(At("192.0.2.1:0")).find("no interface has this address"), std::string::npos);
}

TEST(Listen, SeveralSocketsShareAPortOnlyWhereAllAskForIt) {
  ListenOptions shared;
  shared.reuse_port = true;
  const ListenSocket first = Open("127.0.0.1:0", shared);
  const ListenSocket second = Open(first.bound().ToString(), shared);
  EXPECT_EQ(first.bound(), second.bound());
  EXPECT_NE(ErrorOf(first.bound()), "");
}

TEST(Listen, ASocketHandedOverKeepsItsQueue) {
  auto first = std::make_unique<ListenSocket>(Open("127.0.0.1:0"));
  const ListenAddress bound = first->bound();
  const int client = ConnectTo(bound.ip);
  auto second = ListenSocket::Adopt(dup(first->fd()));
  ASSERT_TRUE(second.ok());
  first.reset();
  EXPECT_EQ(second->bound(), bound);
  const int accepted = accept4(second->fd(), nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_GE(accepted, 0);
  close(accepted);
  close(client);
  const auto [a, b] = TcpPair();
  EXPECT_FALSE(ListenSocket::Adopt(a).ok());
  close(b);
}

TEST(Listen, AUnixSocketReplacesADeadOneAndNotALiveOne) {
  const ListenAddress address = At(Cat("unix:/tmp/egret-listen-test.", getpid()));
  auto first = ListenSocket::Open(address, {});
  ASSERT_TRUE(first.ok()) << first.error();
  struct stat info{};
  ASSERT_EQ(stat(address.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  EXPECT_NE(ErrorOf(address).find("Address already in use"), std::string::npos);
  {
    const ListenSocket dying = std::move(*first);
  }
  EXPECT_EQ(ErrorOf(address), "");
  unlink(address.path.c_str());
}

class Collector final : public AcceptSink {
 public:
  ~Collector() { Clear(); }
  void Accepted(int fd, const Endpoint& peer) override {
    fds.push_back(fd);
    peers.push_back(peer);
  }
  void Clear() {
    for (const int fd : fds) close(fd);
    fds.clear();
  }
  std::vector<int> fds;
  std::vector<Endpoint> peers;
};

class AcceptTest : public testing::Test {
 protected:
  ~AcceptTest() override {
    nursery_.Clear();
    for (const int fd : clients_) close(fd);
    EXPECT_EQ(FramePool::live_bytes(), 0u);
  }
  void Start(AcceptOptions options = {}) { nursery_.Start(AcceptLoop(socket_.fd(), sink_, counters_, options)); }
  void Connect(int count) {
    for (int i = 0; i < count; ++i) clients_.push_back(ConnectTo(socket_.bound().ip));
  }
  void TurnUntilAccepted(size_t count) {
    for (int i = 0; i < 10000 && sink_.fds.size() < count; ++i) loop_.Turn(10);
    ASSERT_EQ(sink_.fds.size(), count);
  }

  Loop loop_;
  ListenSocket socket_ = Open("127.0.0.1:0");
  Collector sink_;
  AcceptCounters counters_;
  std::vector<int> clients_;
  Nursery nursery_;
};

TEST_F(AcceptTest, ConnectionsArriveWithPeerAndOptions) {
  Start();
  Connect(1);
  TurnUntilAccepted(1);
  EXPECT_EQ(sink_.peers[0], LocalOf(clients_[0]));
  const int fd = sink_.fds[0];
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  ASSERT_EQ(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
  EXPECT_NE(no_delay, 0);
  EXPECT_EQ(counters_.accepted.Read(), 1u);
}

TEST_F(AcceptTest, WhatIsQueuedIsTakenBeforeASocketCloses) {
  Connect(100);
  AcceptQueued(socket_.fd(), sink_, counters_);
  EXPECT_EQ(sink_.fds.size(), 100u);
  EXPECT_EQ(counters_.accepted.Read(), 100u);
}

TEST_F(AcceptTest, ACrowdIsTakenInGrowingBatchesAndNeverMoreThanAllowedInATurn) {
  Connect(120);
  AcceptOptions options;
  options.most_per_turn = 16;
  Start(options);
  size_t largest = 0;
  int turns = 0;
  for (size_t before = 0; sink_.fds.size() < 120 && turns < 1000; ++turns) {
    loop_.Turn(10);
    largest = std::max(largest, sink_.fds.size() - before);
    before = sink_.fds.size();
  }
  EXPECT_EQ(sink_.fds.size(), 120u);
  EXPECT_EQ(largest, 16u);
  EXPECT_LE(turns, 14);
}

TEST_F(AcceptTest, AStoppedLoopLeavesTheQueueToTheNext) {
  Start();
  loop_.Turn(0);
  nursery_.Clear();
  Connect(3);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(loop_.Turn(1));  // and it does not spin
  EXPECT_TRUE(sink_.fds.empty());
  Start();
  TurnUntilAccepted(3);
}

TEST_F(AcceptTest, R01_WithoutDescriptorsAcceptingPausesAndRecovers) {
  Connect(2);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);
  close(next);
  const rlimit none{static_cast<rlim_t>(next), before.rlim_max};
  AcceptOptions options;
  options.pause_ms = 20;
  Start(options);
  setrlimit(RLIMIT_NOFILE, &none);
  const uint64_t resumptions = loop_.resumptions();
  for (int i = 0; i < 1000 && counters_.pauses.Read() < 3; ++i) loop_.Turn(100);
  EXPECT_EQ(counters_.pauses.Read(), 3u);
  EXPECT_LE(loop_.resumptions() - resumptions, 6u);  // it sleeps in between
  EXPECT_TRUE(sink_.fds.empty());
  setrlimit(RLIMIT_NOFILE, &before);
  TurnUntilAccepted(2);
}

TEST_F(AcceptTest, R01_DescriptorsThatAreKeptForOthersAreLeftAlone) {
  Connect(20);
  const int next = dup(0);
  close(next);
  AcceptOptions options;
  options.pause_ms = 20;
  options.fd_below = next + 5;
  Start(options);
  for (int i = 0; i < 1000 && counters_.pauses.Read() < 3; ++i) loop_.Turn(100);
  // One beyond the bound tells that it is reached.
  EXPECT_LE(sink_.fds.size(), 6u);
  EXPECT_GE(sink_.fds.size(), 5u);
  const uint64_t resumptions = loop_.resumptions();
  const uint64_t pauses = counters_.pauses.Read();
  for (int i = 0; i < 1000 && counters_.pauses.Read() < pauses + 3; ++i) loop_.Turn(100);
  EXPECT_LE(loop_.resumptions() - resumptions, 6u) << "it sleeps in between";
  sink_.Clear();
  for (int i = 0; i < 1000 && sink_.fds.size() < 5; ++i) loop_.Turn(100);
  EXPECT_GE(sink_.fds.size(), 5u);
}

TEST(DescriptorShares, LeaveSomeForDialsAndForOperatorsHoweverFewThereAre) {
  for (const rlim_t limit : {rlim_t{8}, rlim_t{64}, rlim_t{256}, rlim_t{1024}, rlim_t{1048576}}) {
    const DescriptorShares shares = DescriptorShares::Of(limit);
    EXPECT_GT(shares.accept_below, 0) << limit;
    EXPECT_LT(shares.accept_below, shares.dial_below) << limit;
    EXPECT_LT(shares.dial_below, static_cast<int>(limit)) << limit;
    EXPECT_GE(shares.accept_below, static_cast<int>(limit / 3)) << limit;
  }
  EXPECT_EQ(DescriptorShares::Of(RLIM_INFINITY).accept_below, INT_MAX);
}

TEST_F(AcceptTest, ASocketThatEpollRefusesFailsAtEachCallAndKeepsNobodyWaiting) {
  Connect(1);
  const int fd = dup(clients_[0]);
  FdWatch first;
  ASSERT_TRUE(loop_.Watch(fd, first));
  SocketStream stream(fd);  // EEXIST stands for ENOMEM and ENOSPC
  char byte;
  const iovec piece{&byte, 1};
  EXPECT_TRUE(stream.ReadGate().open() && stream.WriteGate().open() && stream.GoneGate().open());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(stream.Read({&byte, 1}).kind, Io::kFailed);
    EXPECT_EQ(stream.Write({&piece, 1}).kind, Io::kFailed);
  }
  EXPECT_EQ(stream.TakeError(), EEXIST);
}

// What accept4() says next in the test below.
std::vector<int> scripted_errors;
int ScriptedAccept(int fd, sockaddr* peer, socklen_t* size, int flags) {
  if (scripted_errors.empty()) return accept4(fd, peer, size, flags);
  errno = scripted_errors.back();
  scripted_errors.pop_back();
  return -1;
}

TEST_F(AcceptTest, R02_EveryErrorOfAcceptIsSurvived) {
  scripted_errors = {ECONNABORTED, ENFILE, EPROTO, ENOBUFS, EINTR, ENOMEM, ENETDOWN};
  AcceptOptions options;
  options.pause_ms = 1;
  options.accept = &ScriptedAccept;
  Connect(1);
  Start(options);
  TurnUntilAccepted(1);
  EXPECT_EQ(counters_.pauses.Read(), 3u);
  EXPECT_EQ(counters_.aborted.Read(), 4u);
}

}  // namespace
}  // namespace egret
