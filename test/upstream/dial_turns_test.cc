// Who dials and who waits: one at a time, whatever becomes of those who have the turn or wait for it.
#include "source/upstream/dial_turns.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/event/loop.h"
#include "source/event/nursery.h"

namespace egret {
namespace {

const PoolKey kOrigin = "example.com:443", kOther = "example.org:443";

class DialTurnsTest : public testing::Test {
 protected:
  struct Waiter {
    bool ended = false;
    std::optional<DialTurn> turn;
    Nursery task;
  };

  // One more who waits, at most so long.
  Waiter& Wait(uint64_t ms = 10'000) {
    waiters_.push_back(std::make_unique<Waiter>());
    waiters_.back()->task.Start(Run(turns_, *waiters_.back(), ms));
    return *waiters_.back();
  }
  void Settle() {
    while (loop_.Turn(0)) {
    }
  }
  void Pass(uint64_t ms) {
    const uint64_t until = loop_.now_ms() + ms;
    while (loop_.now_ms() < until && loop_.SkipToTimer(until - loop_.now_ms())) Settle();
  }

  Loop loop_;
  DialTurns turns_;
  std::vector<std::unique_ptr<Waiter>> waiters_;

 private:
  static Task<void> Run(DialTurns& turns, Waiter& waiter, uint64_t ms) {
    std::optional<DialTurn> turn = co_await turns.Wait(kOrigin, ms);
    if (turn) waiter.turn.emplace(std::move(*turn));
    waiter.ended = true;
  }
};

TEST_F(DialTurnsTest, OneHasTheTurnOfAKey) {
  std::optional<DialTurn> first = turns_.Take(kOrigin);
  ASSERT_TRUE(first);
  EXPECT_FALSE(turns_.Take(kOrigin));
  EXPECT_TRUE(turns_.Take(kOther));
  first.reset();
  EXPECT_TRUE(turns_.Take(kOrigin));
}

TEST_F(DialTurnsTest, WhereNobodyDialsNobodyWaits) { EXPECT_TRUE(Wait().ended); }

TEST_F(DialTurnsTest, AConnectionToShareIsEverybodys) {
  std::optional<DialTurn> first = turns_.Take(kOrigin);
  Waiter& a = Wait();
  Waiter& b = Wait();
  Settle();
  EXPECT_FALSE(a.ended || b.ended);
  std::move(*first).FoundHttp2();
  Settle();
  EXPECT_TRUE(a.ended && b.ended);
  EXPECT_FALSE(a.turn || b.turn);
  EXPECT_TRUE(turns_.Take(kOrigin));
  EXPECT_FALSE(turns_.SpeaksHttp1(kOrigin));
}

TEST_F(DialTurnsTest, WhoFoundNothingMaySendAllOnTheirOwnWays) {
  std::optional<DialTurn> first = turns_.Take(kOrigin);
  Waiter& a = Wait();
  Waiter& b = Wait();
  std::move(*first).FoundNothing();
  Settle();
  EXPECT_TRUE(a.ended && b.ended);
  EXPECT_FALSE(a.turn || b.turn);
  EXPECT_FALSE(turns_.SpeaksHttp1(kOrigin));
  EXPECT_TRUE(turns_.Take(kOrigin));
}

TEST_F(DialTurnsTest, AFailureIsOnesOwnAndTheNextTriesInItsTurn) {
  std::optional<DialTurn> first = turns_.Take(kOrigin);
  Waiter& a = Wait();
  Waiter& b = Wait();
  first.reset();
  Settle();
  ASSERT_TRUE(a.turn);
  EXPECT_FALSE(b.ended);
  EXPECT_FALSE(turns_.Take(kOrigin));
  a.turn.reset();
  Settle();
  EXPECT_TRUE(b.turn);
}

TEST_F(DialTurnsTest, WhoGoesAwayWithTheTurnInHandPassesItOn) {
  std::optional<DialTurn> first = turns_.Take(kOrigin);
  Waiter& gone = Wait();
  Waiter& called = Wait();
  Waiter& last = Wait();
  gone.task.Clear();
  first.reset();  // to `called`, which has not heard of it
  called.task.Clear();
  Settle();
  EXPECT_TRUE(last.turn);
  last.turn.reset();
  EXPECT_TRUE(turns_.Take(kOrigin));
}

TEST_F(DialTurnsTest, NobodyWaitsLongerThanItLikes) {
  std::optional<DialTurn> first = turns_.Take(kOrigin);
  Waiter& hasty = Wait(1000);
  Waiter& patient = Wait(100'000);
  Pass(2000);
  EXPECT_TRUE(hasty.ended);
  EXPECT_FALSE(hasty.turn || patient.ended);
  first.reset();
  Settle();
  EXPECT_TRUE(patient.turn);
}

TEST_F(DialTurnsTest, Http1IsRememberedForAWhile) {
  std::optional<DialTurn> first = turns_.Take(kOrigin);
  Waiter& a = Wait();
  std::move(*first).FoundHttp1();
  Settle();
  EXPECT_TRUE(a.ended && !a.turn);
  EXPECT_TRUE(turns_.SpeaksHttp1(kOrigin));
  EXPECT_FALSE(turns_.SpeaksHttp1(kOther));
  std::optional<DialTurn> other = turns_.Take(kOrigin);
  Wait(DialTurns::kRememberMs + 1000);  // keeps the clock going
  Pass(DialTurns::kRememberMs + 2000);
  EXPECT_FALSE(turns_.SpeaksHttp1(kOrigin));
  std::move(*other).FoundHttp2();
}

TEST_F(DialTurnsTest, WhatIsRememberedIsBounded) {
  for (size_t n = 0; n <= DialTurns::kMostRemembered; ++n)
    std::move(*turns_.Take("example" + std::to_string(n))).FoundHttp1();
  EXPECT_FALSE(turns_.SpeaksHttp1("example0"));
  EXPECT_TRUE(turns_.SpeaksHttp1("example" + std::to_string(DialTurns::kMostRemembered)));
}

}  // namespace
}  // namespace egret
