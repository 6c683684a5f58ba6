// Handing listening sockets from one process to the next: here both ends are in one process, on two threads.
#include "source/server/take_over.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/event/loop.h"
#include "test/support/socket_pair.h"

namespace egret {
namespace {

ListenSocket Open(const ListenAddress& address) {
  auto opened = ListenSocket::Open(address, {});
  if (!opened.ok()) ADD_FAILURE() << opened.error();
  return std::move(*opened);
}
ListenAddress At(std::string_view text) { return ListenAddress::Parse(text).value(); }

class TakeOverTest : public testing::Test {
 protected:
  TakeOverTest() {
    sockets_.push_back({"listener egress", Open(At("127.0.0.1:0"))});
    sockets_.push_back({"admin", Open(At("127.0.0.1:0"))});
    point_ = std::make_unique<TakeOverPoint>(
        Open(address_),
        [this] {
          std::vector<OfferedSocket> offered;
          for (const NamedSocket& one : sockets_) offered.push_back({one.name, one.socket.fd()});
          const int copy = dup(sockets_.front().socket.fd());  // as a second worker that shares it has
          copies_.push_back(copy);
          offered.push_back({sockets_.front().name, copy});
          return offered;
        },
        [this] {
          ++taken_;
          point_->Stop();
        });
  }
  ~TakeOverTest() override {
    point_.reset();
    for (const int fd : copies_) close(fd);
    unlink(address_.path.c_str());
  }
  const ListenAddress& Bound(size_t i) const { return sockets_[i].socket.bound(); }

  // Runs `work` on a thread while the loop turns here.
  template <class Work>
  void Beside(Work work) {
    std::atomic<bool> done{false};
    std::thread thread([&] {
      work();
      done = true;
    });
    while (!done) loop_.Turn(5);
    thread.join();
    while (loop_.Turn(0)) {
    }
  }
  std::optional<Predecessor> Find() {
    std::optional<Predecessor> found;
    Beside([&] {
      auto result = Predecessor::Find(address_);
      if (result.ok() && *result) found.emplace(std::move(**result));
      if (!result.ok()) error_ = result.error();
    });
    return found;
  }
  // What the point answers to a first line.
  std::string Ask(std::string_view line) {
    std::string answer;
    Beside([&] {
      sockaddr_un un{};
      un.sun_family = AF_UNIX;
      std::memcpy(un.sun_path, address_.path.data(), address_.path.size());
      const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&un), sizeof un), 0);
      ASSERT_EQ(send(fd, line.data(), line.size(), MSG_NOSIGNAL), static_cast<ssize_t>(line.size()));
      char byte;
      while (recv(fd, &byte, 1, 0) == 1) answer += byte;
      close(fd);
    });
    return answer;
  }

  Loop loop_;
  ListenAddress address_ = At(Cat("unix:/tmp/egret-take-over-test.", getpid()));
  std::vector<NamedSocket> sockets_;
  std::vector<int> copies_;
  int taken_ = 0;
  std::string error_;
  std::unique_ptr<TakeOverPoint> point_;
};

TEST_F(TakeOverTest, L05_TheSocketsThemselvesComeWithTheirQueues) {
  const int client = ConnectTo(Bound(0).ip);
  std::optional<Predecessor> found = Find();
  ASSERT_TRUE(found) << error_;
  HandedSockets handed = found->TakeSockets();
  std::vector<ListenSocket> listener = handed.Take(Bound(0), "listener egress");
  ASSERT_EQ(listener.size(), 1u);  // the copy was left out
  EXPECT_EQ(taken_, 0);
  found->SayReady();
  while (taken_ == 0) loop_.Turn(5);
  sockets_.clear();
  const int accepted = accept4(listener.front().fd(), nullptr, nullptr, SOCK_CLOEXEC);
  EXPECT_GE(accepted, 0);
  close(accepted);
  close(client);
}

TEST_F(TakeOverTest, L06_ASuccessorThatDiesIsForgottenAndAnotherMayTry) {
  Find().reset();
  while (loop_.Turn(0)) {
  }
  EXPECT_EQ(taken_, 0);
  EXPECT_TRUE(Find()) << error_;
}

TEST_F(TakeOverTest, OneAtATime) {
  const std::optional<Predecessor> first = Find();
  EXPECT_FALSE(Find());
  EXPECT_NE(error_.find("another process is taking over"), std::string::npos) << error_;
}

TEST_F(TakeOverTest, L06_AnotherVersionIsRefusedAndSoIsNonsense) {
  EXPECT_EQ(Ask("egret-take-over 2\n"), "no another version of taking over is spoken here\n");
  EXPECT_EQ(Ask(std::string(5000, 'x')), "");
  EXPECT_TRUE(Find());
}

TEST_F(TakeOverTest, WhereNobodyListensThereIsNobody) {
  for (const char* path : {"unix:/nonexistent/egret.sock", "unix:/tmp/egret-no-such-socket"}) {
    auto none = Predecessor::Find(At(path));
    ASSERT_TRUE(none.ok()) << none.error();
    EXPECT_FALSE(*none);
  }
}

TEST_F(TakeOverTest, WhatIsWantedIsFoundByAddressAndForPortZeroByName) {
  HandedSockets handed(std::exchange(sockets_, {}));
  EXPECT_TRUE(handed.Take(At("127.0.0.1:0"), "listener other").empty());
  EXPECT_TRUE(handed.Take(At("127.0.0.2:0"), "admin").empty());
  EXPECT_TRUE(handed.TakeOne(At("127.0.0.1:0"), "admin"));
  EXPECT_FALSE(handed.TakeOne(At("127.0.0.1:0"), "admin"));
  EXPECT_TRUE(handed.TakeOne(At("127.0.0.1:0"), "listener egress"));
}

TEST_F(TakeOverTest, L07_EveryWorkerGetsASocketAndEverySocketAWorker) {
  std::vector<ListenSocket> two;
  for (int i = 0; i < 2; ++i) two.push_back(Open(At("127.0.0.1:0")));
  auto five = EnoughFor(5, std::move(two));
  ASSERT_TRUE(five.ok());
  ASSERT_EQ(five->size(), 5u);
  EXPECT_EQ((*five)[0].bound(), (*five)[2].bound());
  EXPECT_EQ((*five)[1].bound(), (*five)[3].bound());
  auto still_five = EnoughFor(2, std::move(*five));
  ASSERT_TRUE(still_five.ok());
  EXPECT_EQ(still_five->size(), 5u);
}

}  // namespace
}  // namespace egret
