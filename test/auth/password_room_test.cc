#include "source/auth/password_room.h"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "source/base/strings.h"
#include "source/event/loop.h"

namespace egret {
namespace {

const std::string kHash = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";
constexpr std::string_view kPassword = "correct horse";

class PasswordRoomTest : public ::testing::Test {
 protected:
  using Answers = std::deque<Pending<PasswordVerdict>>;
  void Ask(PasswordRoom& room, std::string_view password, bool decoy = false) {
    room.Check(kHash, password, decoy, 0, answers_.emplace_back());
  }
  PasswordVerdict Await(size_t index) {
    const auto& state = *answers_[index].state();
    while (!state.value) loop_.Turn(-1);
    return *state.value;
  }

  Loop loop_;
  Answers answers_;
};

TEST_F(PasswordRoomTest, RemembersForAWhileWhatIsRight) {
  PasswordRoom room({.threads = 1, .remembered_ms = 1000});
  EXPECT_FALSE(room.Knows(kHash, kPassword, 0));
  Ask(room, kPassword);
  Ask(room, "wrong");
  EXPECT_EQ(Await(0), PasswordVerdict::kRight);
  EXPECT_EQ(Await(1), PasswordVerdict::kWrong);
  EXPECT_TRUE(room.Knows(kHash, kPassword, 999));
  EXPECT_FALSE(room.Knows(kHash, kPassword, 1000));
  EXPECT_FALSE(room.Knows(kHash, "wrong", 0));
  EXPECT_FALSE(room.Knows(kHash + "x", kPassword, 0));  // another password was set
}

TEST_F(PasswordRoomTest, ADecoyIsWrongWhateverItsPassword) {
  PasswordRoom room({.threads = 1});
  Ask(room, kPassword, true);
  EXPECT_EQ(Await(0), PasswordVerdict::kWrong);
  EXPECT_FALSE(room.Knows(kHash, kPassword, 0));
}

TEST_F(PasswordRoomTest, WhereTooManyWaitTheRestIsTurnedAway) {
  PasswordRoom room({.threads = 0, .queue = 2});  // nobody works
  for (const std::string_view password : {"a", "b", "c", "a", "b"}) Ask(room, password);
  EXPECT_EQ(Await(2), PasswordVerdict::kBusy);
  for (const size_t waiting : {0u, 1u, 3u, 4u}) EXPECT_FALSE(answers_[waiting].state()->value) << waiting;
}

TEST_F(PasswordRoomTest, WhoAsksTheSameAtTheSameTimeWaitsForOneCheck) {
  PasswordRoom room({.threads = 1, .queue = 2});
  for (int i = 0; i < 100; ++i) Ask(room, kPassword);
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(Await(i), PasswordVerdict::kRight);
}

TEST_F(PasswordRoomTest, WhoIsGoneIsNotMissedAndNoRoomWaitsForItsQueue) {
  PasswordRoom room({.threads = 1});
  for (int i = 0; i < 20; ++i) Ask(room, Cat("password ", i));
  answers_.clear();
}

TEST(VerdictCache, IsBoundedAndForgetsTheOldest) {
  VerdictCache<int> cache(16);
  const KeyedHash hasher;
  for (int i = 0; i < 1000; ++i) cache.Put(hasher.Of({Cat(i)}), i, 10);
  int found = 0;
  for (int i = 0; i < 1000; ++i) found += cache.Find(hasher.Of({Cat(i)}), 0).has_value() ? 1 : 0;
  EXPECT_LE(found, 32);
  EXPECT_EQ(cache.Find(hasher.Of({"999"}), 9), 999);
  EXPECT_EQ(cache.Find(hasher.Of({"999"}), 10), std::nullopt);
  cache.Put(hasher.Of({"999"}), 7, 20);
  EXPECT_EQ(cache.Find(hasher.Of({"999"}), 10), 7);
}

TEST(KeyedHash, PiecesDoNotReachIntoEachOtherAndKeysDiffer) {
  const KeyedHash one, other;
  EXPECT_EQ(one.Of({"a", "b"}), one.Of({"a", "b"}));
  EXPECT_NE(one.Of({"a", "b"}), one.Of({"ab", ""}));
  EXPECT_NE(one.Of({"a"}), one.Of({"a", ""}));
  EXPECT_NE(one.Of({"a"}), other.Of({"a"}));
}

}  // namespace
}  // namespace egret
