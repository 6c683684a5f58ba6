// What must hold of tasks, combinators, timers, nurseries and posts; a loop turned by hand, no sockets.
#include "source/event/task.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "source/base/frame_pool.h"
#include "source/base/sanitizer.h"
#include "source/event/combine.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/event/pending.h"
#include "source/event/wait.h"
#include "test/support/run_task.h"

namespace egret {
namespace {

// Counts how many frames are alive.
struct Witness {
  explicit Witness(int& alive) : count(alive) { ++count; }
  ~Witness() { --count; }
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  int& count;
};

Task<int> Now(int value) { co_return value; }

Task<int> Later(int value, uint64_t ms, int& alive) {
  const Witness witness(alive);
  co_await Sleep(ms);
  co_return value;
}

Task<void> Forever(int& alive) {
  const Witness witness(alive);
  Gate never(false);
  co_await GateAwaiter(never);
}

Task<bool> Say(bool what, uint64_t ms, int& alive) {
  const Witness witness(alive);
  co_await Sleep(ms);
  co_return what;
}

class TaskTest : public testing::Test {
 protected:
  ~TaskTest() override {
    EXPECT_EQ(alive_, 0);
    EXPECT_EQ(FramePool::live_bytes(), 0u);
  }
  Loop loop_;
  int alive_ = 0;
};

TEST_F(TaskTest, AMillionAwaitsThatDoNotWaitKeepTheStackFlat) {
  auto sum = [](long n) -> Task<long> {
    long total = 0;
    for (long i = 0; i < n; ++i) total += co_await Now(1);
    co_return total;
  };
  EXPECT_EQ(RunTask(loop_, sum(1000000)), 1000000);
}

Task<int> Deep(int depth) {
  if (depth == 0) {
    co_await Yield();
    co_return 0;
  }
  co_return 1 + co_await Deep(depth - 1);
}

TEST_F(TaskTest, ThousandsOfFramesUnwindBySymmetricTransfer) { EXPECT_EQ(RunTask(loop_, Deep(3000)), 3000); }

TEST_F(TaskTest, ARaceWonAtOnceNeverStartsTheOther) {
  auto race = [](int& alive) -> Task<long> {
    long total = 0;
    for (int i = 0; i < 100000; ++i) {
      auto result = co_await Race(Now(1), Forever(alive));
      total += std::get<0>(result);
    }
    co_return total + alive;
  };
  EXPECT_EQ(RunTask(loop_, race(alive_)), 100000);
}

TEST_F(TaskTest, TheLoserOfARaceIsDestroyedBeforeTheResultIsGiven) {
  auto race = [](int& alive) -> Task<int> {
    auto result = co_await Race(Later(7, 20, alive), Forever(alive));
    co_return result.index() == 0 && alive == 0 ? std::get<0>(result) : -1;
  };
  EXPECT_EQ(RunTask(loop_, race(alive_)), 7);
}

TEST_F(TaskTest, ARaceTakesGatesAndSleepsBesideTasks) {
  auto race = [](int& alive) -> Task<int> {
    Gate gate(false);
    auto first = co_await Race(Forever(alive), Sleep(5));
    if (first.index() != 1) co_return -1;
    auto second = co_await Race(gate, Sleep(5));
    if (second.index() != 1) co_return -2;
    gate.Open();
    auto third = co_await Race(Forever(alive), gate);
    co_return third.index() == 1 && alive == 0 ? 1 : -3;
  };
  EXPECT_EQ(RunTask(loop_, race(alive_)), 1);
}

TEST_F(TaskTest, ADeadlineCancelsATreeOfRaces) {
  auto two = [](int& alive) -> Task<void> { co_await Race(Forever(alive), Forever(alive)); };
  auto tree = [&two](int& alive) -> Task<void> {
    const Witness witness(alive);
    co_await Race(Forever(alive), two(alive));
  };
  auto cut = [](Task<void> task, int& alive) -> Task<int> {
    const auto result = co_await WithDeadline(std::move(task), 30);
    co_return !result && alive == 0 ? 1 : 0;
  };
  EXPECT_EQ(RunTask(loop_, cut(tree(alive_), alive_)), 1);
}

TEST_F(TaskTest, AllEndsWhenBothSaidYes) {
  EXPECT_TRUE(RunTask(loop_, Both(Say(true, 5, alive_), Say(true, 30, alive_))));
}

TEST_F(TaskTest, AllEndsAtTheFirstNoAndDestroysTheOther) {
  auto both = [](int& alive) -> Task<int> {
    const bool ok = co_await All(Say(false, 5, alive), Say(true, 60000, alive));
    co_return !ok && alive == 0 ? 1 : 0;
  };
  EXPECT_EQ(RunTask(loop_, both(alive_)), 1);
}

TEST_F(TaskTest, DestroyingATaskCancelsItAndUnhooksItsAwaiters) {
  Task<void> task = Forever(alive_);
  TestJoiner joiner;
  task.Start(joiner);
  EXPECT_EQ(alive_, 1);
  task.Cancel();
  EXPECT_EQ(alive_, 0);
}

TEST_F(TaskTest, ANurseryReapsWhatEndsAndDestroysTheRest) {
  {
    Nursery nursery;
    auto briefly = [](int& alive) -> Task<void> {
      const Witness witness(alive);
      co_await Yield();
    };
    nursery.Start(briefly(alive_));
    nursery.Start(Forever(alive_));
    EXPECT_EQ(alive_, 2);
    for (int i = 0; i < 4; ++i) loop_.Turn(0);
    EXPECT_EQ(alive_, 1);
    EXPECT_FALSE(nursery.empty());
  }
  EXPECT_EQ(alive_, 0);
}

TEST_F(TaskTest, AThousandTimersHalfOfThemCancelled) {
  TestJoiner joiner;
  std::vector<Task<int>> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back(Later(i, 5 + static_cast<uint64_t>(i) % 50, alive_));
    many.back().Start(joiner);
  }
  while (many.size() > 500) many.pop_back();
  for (int i = 0; i < 1000 && alive_ > 0; ++i) loop_.Turn(100);
  EXPECT_EQ(alive_, 0);
}

TEST_F(TaskTest, ATimerIsNeverEarlyAndLongOnesWaitInTheFarWheel) {
  Timer soon, far;
  static int fired;
  fired = 0;
  soon.run = far.run = [](Waiter&) { ++fired; };
  loop_.Arm(soon, 20);
  loop_.Arm(far, 3600u * 1000);
  const uint64_t start = loop_.now_ms();
  while (fired == 0) loop_.Turn(1000);
  EXPECT_GE(loop_.now_ms(), start + 20);
  EXPECT_EQ(fired, 1);
  EXPECT_TRUE(far.linked());
}

TEST_F(TaskTest, APostFromAnotherThreadRunsOnTheLoop) {
  Pending<int> pending;
  std::thread thread(
      [mailbox = loop_.mailbox(), state = pending.state()] { Pending<int>::FulfilFrom(mailbox, state, 42); });
  auto wait = [](Pending<int>& value) -> Task<int> { co_return co_await value; };
  EXPECT_EQ(RunTask(loop_, wait(pending)), 42);
  thread.join();
}

TEST_F(TaskTest, AWaiterMayGoBeforeItsValueComes) {
  Pending<int>::State* state = nullptr;
  std::shared_ptr<Pending<int>::State> kept;
  auto wait = [](std::shared_ptr<Pending<int>::State>& out) -> Task<int> {
    Pending<int> pending;
    out = pending.state();
    co_return co_await pending;
  };
  {
    TestJoiner joiner;
    Task<int> task = wait(kept);
    task.Start(joiner);
    state = kept.get();
  }
  Pending<int>::Fulfil(*state, 1);
  EXPECT_EQ(kept.use_count(), 1);
}

TEST_F(TaskTest, APostAfterTheLoopsEndIsDropped) {
  std::shared_ptr<Mailbox> mailbox;
  std::thread([&mailbox] {
    Loop other;
    mailbox = other.mailbox();
  }).join();
  EXPECT_FALSE(mailbox->Post([] { FAIL(); }));
}

TEST(FramePoolTest, WhatABurstUsedIsGivenBackAroundTheFramesThatLiveOn) {
#ifdef EGRET_ASAN
  GTEST_SKIP() << "no pool under the sanitizer";
#endif
  constexpr size_t kLasting = 300, kPassing = 3000;
  std::vector<void*> lasting, passing;
  for (int i = 0; i < 4000; ++i) {
    lasting.push_back(FramePool::Get(kLasting));
    passing.push_back(FramePool::Get(kPassing));
  }
  const uint64_t most = FramePool::held_bytes();
  EXPECT_GE(most, 4000 * (kLasting + kPassing));
  for (void* frame : passing) FramePool::Put(frame, kPassing);
  EXPECT_LT(FramePool::held_bytes(), most / 5);
  for (void* frame : lasting) FramePool::Put(frame, kLasting);
}

}  // namespace
}  // namespace egret
