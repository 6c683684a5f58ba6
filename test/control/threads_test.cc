// What several threads of egret-control share: gRPC's, the library's, operators'. Meant for --config=tsan.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "source/control/hub.h"
#include "source/control/roster.h"
#include "source/control/switchboard.h"

namespace egret {
namespace {

constexpr int kThreads = 4, kTurns = 300;

PublicationPtr Version(int n) {
  auto made = std::make_shared<Publication>();
  made->version = std::to_string(n);
  return made;
}

template <class Turn>
std::vector<std::thread> Repeat(Turn turn) {
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back([thread, turn] {
      for (int i = 0; i < kTurns; ++i) turn(thread, i);
    });
  return threads;
}

void Join(std::vector<std::thread>& threads) {
  for (std::thread& thread : threads) thread.join();
}

// Each call is a thing of its own: it must not come once the follower has left.
class Listens final : public Follower {
 public:
  ~Listens() { EXPECT_TRUE(left_ && heard_ > 0); }
  void OnPublication(const PublicationPtr& publication) override {
    EXPECT_FALSE(left_);
    last_ = publication->version;
    ++heard_;
  }
  void Left() { left_ = true; }

 private:
  std::string last_;
  int heard_ = 0;
  bool left_ = false;
};

TEST(ControlThreads, FollowersComeAndGoWhileSomethingIsPublished) {
  Hub hub;
  hub.Publish("web", Version(0));
  std::atomic<bool> over = false;
  std::thread library([&] {
    for (int n = 1; !over; ++n) {
      hub.Publish("web", Version(n));
      hub.Refuse("web", {{.why = "not valid"}});
      hub.Stage("web", Version(-n));
      hub.Advance("web", {.release = Version(-n)->version, .percent = 50, .halted = n % 2 == 0});
    }
  });
  auto calls = Repeat([&hub](int thread, int i) {
    Listens follower;
    EXPECT_EQ(hub.Join("web", "p" + std::to_string(thread), i % 2 == 0, follower), Hub::Joined::kFollows);
    EXPECT_TRUE(hub.Look().at("web").publication);
    hub.Leave("web", follower);
    follower.Left();
  });
  Join(calls);
  over = true;
  library.join();
}

TEST(ControlThreads, ProxiesComeAndGoWhileTheyAreLookedAt) {
  Roster roster;
  std::atomic<bool> over = false;
  std::thread operators([&] {
    while (!over) {
      for (const Proxy& proxy : roster.Look()) EXPECT_LE(proxy.Rejections().size(), 1u);
      (void)roster.counts();
      (void)roster.Decisions();
    }
  });
  auto calls = Repeat([&roster](int thread, int i) {
    const std::string id = "p" + std::to_string(thread % 2);  // two streams of one proxy at a time
    roster.Connected({.id = id, .group = "web", .release = "", .peer = ""}, i % 2 == 0);
    roster.Judged("web", id, {.type_url = "t", .versions = {{"n", "1"}}, .accepted = true, .rejections = {}});
    control::v1::Report report;
    report.set_requests(1);
    EXPECT_TRUE(roster.Reported("web", id, report, true));
    roster.Settled("web", id, std::to_string(i));
    roster.ReportsNoMore("web", id);
    roster.Gone("web", id);
  });
  Join(calls);
  over = true;
  operators.join();
  for (const Proxy& proxy : roster.Look()) {
    EXPECT_EQ(proxy.streams, 0);
    EXPECT_EQ(proxy.requests, uint64_t{kThreads / 2 * kTurns});
  }
}

class Told final : public Switchboard::Line {
 public:
  void Tell(const control::v1::Command& /*command*/) override { ++count_; }
  int count() const { return count_; }

 private:
  int count_ = 0;
};

TEST(ControlThreads, CommandsReachWhoeverIsThere) {
  Switchboard switchboard;
  std::atomic<bool> over = false;
  std::thread operators([&] {
    while (!over) switchboard.Tell({"web", ""}, {});
  });
  auto calls = Repeat([&switchboard](int thread, int) {
    Told line;
    const Switchboard::Proxy proxy("web", "p" + std::to_string(thread));
    switchboard.Join(proxy, line);
    EXPECT_GE(switchboard.Tell(proxy, {}), 1u);
    switchboard.Deliver(proxy, {});
    switchboard.Leave(proxy, line);
    EXPECT_GE(line.count(), 1);
  });
  Join(calls);
  over = true;
  operators.join();
}

}  // namespace
}  // namespace egret
