// Connections of two workers, one of which gets them all: as the kernel may spread them over SO_REUSEPORT sockets.
#include "source/server/worker_balance.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "source/chain/connection.h"
#include "source/chain/listener.h"
#include "source/io/stream.h"
#include "source/policy/compile.h"
#include "source/server/worker_thread.h"
#include "test/support/socket_pair.h"

namespace egret {
namespace {

// Keeps the connection until the client ends it.
class Holding final : public NetworkFilter {
 public:
  Task<void> Handle(Connection& connection, NetworkNext) const override {
    char byte;
    for (;;) {
      const Io io = connection.stream->Read({&byte, 1});
      if (io.kind == Io::kEnd || io.kind == Io::kFailed) co_return;
      if (io.kind == Io::kAgain) co_await GateAwaiter(connection.stream->ReadGate());
    }
  }
};

Snapshot HoldEverything() {
  auto listener = std::make_shared<ListenerChains>();
  FilterChain only;
  only.filters.push_back(std::make_unique<Holding>());
  listener->chains.push_back(std::move(only));
  auto chains = std::make_shared<Chains>();
  chains->listeners["proxy"] = std::move(listener);
  return {*Compile(PolicySetSpec()), std::move(chains)};
}

class WorkerBalanceTest : public testing::Test {
 protected:
  WorkerBalanceTest() {
    auto opened = ListenSocket::Open({{Loopback4(), 0}, ""}, {});
    EXPECT_TRUE(opened);
    to_ = opened->bound().ip;
    std::vector<WorkerSocket> sockets;
    sockets.push_back({"proxy", 1, std::move(*opened), std::make_shared<ConnectionCount>(0)});
    for (uint32_t i = 0; i < 2; ++i) {
      WorkerThread::Setup setup;
      setup.index = i;
      setup.snapshot = HoldEverything();
      setup.sockets = std::exchange(sockets, {});  // the first one gets all
      setup.limits = &limits_;
      setup.balance = &balance_;
      setup.on_drained = [this] { ++drained_; };
      workers_.push_back(std::make_unique<WorkerThread>(std::move(setup)));
    }
  }
  ~WorkerBalanceTest() override {
    for (const int fd : clients_) close(fd);
    workers_.clear();
    EXPECT_EQ(balance_.Load(0), 0u);
    EXPECT_EQ(balance_.Load(1), 0u);
  }

  void Connect(int count) {
    sockaddr_storage address;
    const socklen_t size = to_.To(address);
    for (int i = 0; i < count; ++i) {
      clients_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      ASSERT_EQ(connect(clients_.back(), reinterpret_cast<sockaddr*>(&address), size), 0);
    }
  }
  int64_t Open(size_t worker) const { return workers_[worker]->counters().connections_active.Read(); }
  template <class Condition>
  static bool Comes(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return condition();
  }

  ConnectionLimits limits_{0, 0};
  WorkerBalance balance_{2};
  Endpoint to_;
  std::atomic<int> drained_ = 0;
  std::vector<int> clients_;
  std::vector<std::unique_ptr<WorkerThread>> workers_;
};

TEST_F(WorkerBalanceTest, AWorkerThatGetsAllConnectionsHandsThemOver) {
  // A few at a time: the queue of a worker that gets no processor for a while must not fill up.
  for (int64_t count = 20; count <= 400; count += 20) {
    Connect(20);
    ASSERT_TRUE(Comes([&] { return Open(0) + Open(1) == count; })) << Open(0) << " " << Open(1);
  }
  // More than 1.25 times and 2 ahead is handed over: 400 = 1.25 x + 2 + x.
  EXPECT_LE(Open(0), Open(1) * 5 / 4 + 3);
  EXPECT_GE(Open(0), Open(1)) << "no more than what evens it out";
  EXPECT_EQ(workers_[0]->counters().handed_over.Read(), static_cast<uint64_t>(Open(1)));
  EXPECT_EQ(balance_.Load(0) + balance_.Load(1), 400u);
}

TEST_F(WorkerBalanceTest, AFewConnectionsStayWhereTheyCameIn) {
  Connect(2);
  ASSERT_TRUE(Comes([&] { return Open(0) == 2; }));
  EXPECT_EQ(Open(1), 0);
}

// They may be all that there is, each with as much work as it can get.
TEST_F(WorkerBalanceTest, TenConnectionsAreNotLeftToOneWorker) {
  Connect(10);
  ASSERT_TRUE(Comes([&] { return Open(0) + Open(1) == 10; }));
  EXPECT_GE(Open(1), 4);
}

TEST_F(WorkerBalanceTest, NothingIsHandedToAWorkerThatDrains) {
  workers_[1]->Drain({});
  ASSERT_TRUE(Comes([&] { return drained_ == 1; }));
  Connect(100);
  ASSERT_TRUE(Comes([&] { return Open(0) == 100; }));
  EXPECT_EQ(Open(1), 0);
}

TEST_F(WorkerBalanceTest, AStalledWorkerIsGivenNoMoreThanItsQueueHolds) {
  std::atomic<bool> go_on = false;
  workers_[1]->Post([&](Worker&) { Comes([&] { return go_on.load(); }); });
  Connect(1000);
  EXPECT_TRUE(Comes([&] { return Open(0) + balance_.Queued(1) == 1000; })) << Open(0) << " " << balance_.Queued(1);
  EXPECT_LE(balance_.Queued(1), WorkerBalance::kMostQueued);
  EXPECT_GT(workers_[0]->counters().limit_hits.Read(Limit::kHandOverQueue), 0u);
  go_on = true;
  EXPECT_TRUE(Comes([&] { return Open(0) + Open(1) == 1000; }));
}

TEST_F(WorkerBalanceTest, WhatIsHandedOverKeepsItsPlaceInTheLimits) {
  Connect(200);
  ASSERT_TRUE(Comes([&] { return Open(0) + Open(1) == 200; }));
  ASSERT_GT(Open(1), 0);
  for (const int fd : clients_) close(fd);
  clients_.clear();
  EXPECT_TRUE(Comes([&] { return Open(0) + Open(1) == 0 && balance_.Load(0) + balance_.Load(1) == 0; }));
}

}  // namespace
}  // namespace egret
