#include "source/auth/htpasswd.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::string_view kBcrypt = "$2b$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e";  // correct horse
constexpr std::string_view kSha512 =
    "$6$rounds=1000$saltsalt$j80qmfphCUEnvkBMMWpLydGVs.OwMiJI1GRws/fs4/Msi2biz5edX4CkhJWlbRn0LuwOG/v2CEo6UuSaAq5Rz.";
constexpr std::string_view kYescrypt = "$y$j75$saltsaltsalt$4PO2pFFbLo4XwXVmQ4w1HpopbqdEfoqDMCQA3GIp3g2";

std::string WhyNot(std::string_view text) {
  const auto list = UserList::Parse(text, nullptr);
  return list ? "" : list.error().text;
}

TEST(UserList, HoldsUsersWithHashesOfEveryKindThatIsTaken) {
  const auto list =
      UserList::Parse(Cat("# who\n\nalice:", kBcrypt, "\r\n  bob:", kSha512, "\ncarol:", kYescrypt), nullptr);
  ASSERT_TRUE(list) << list.error().text;
  ASSERT_NE((*list)->Find("alice"), nullptr);
  EXPECT_TRUE(HasHash("correct horse", (*list)->Find("alice")->hash));
  EXPECT_FALSE(HasHash("correct hors", (*list)->Find("alice")->hash));
  EXPECT_TRUE(HasHash("s3cret:with:colons", (*list)->Find("bob")->hash));
  EXPECT_TRUE(HasHash("p\xc3\xa4ssw\xc3\xb6rd", (*list)->Find("carol")->hash));
  EXPECT_FALSE(HasHash("", (*list)->Find("carol")->hash));
  EXPECT_EQ((*list)->Find("dave"), nullptr);
  EXPECT_EQ((*list)->Find("Alice"), nullptr);
}

TEST(UserList, APasswordInClearProvesNoMoreThanAnAddress) {
  const auto list = UserList::Parse(Cat("alice:", kBcrypt), nullptr);
  ASSERT_TRUE(list);
  const UserList::User& alice = *(*list)->Find("alice");
  EXPECT_EQ(alice.in_tls->assurance, Assurance::kToken);
  EXPECT_EQ(alice.in_clear->assurance, Assurance::kSourceAddress);
  EXPECT_EQ(alice.in_tls->Name(), "alice");
  EXPECT_EQ(alice.in_clear->Key(), alice.in_tls->Key());
}

TEST(UserList, AnUnknownNameGetsOneHashOfTheListAndAlwaysTheSame) {
  const auto list = UserList::Parse(Cat("alice:", kBcrypt, "\nbob:", kSha512), nullptr);
  ASSERT_TRUE(list);
  std::set<std::string> used;
  for (int i = 0; i < 100; ++i) {
    const std::string name = Cat("nobody", i);
    EXPECT_EQ((*list)->Decoy(name), (*list)->Decoy(name));
    used.insert((*list)->Decoy(name));
  }
  EXPECT_EQ(used, (std::set<std::string>{std::string(kBcrypt), std::string(kSha512)}));
}

TEST(UserList, WeakBrokenAndCostlyHashesAreRefusedWithoutSayingThem) {
  const std::string weak[] = {
      "secret",                                                   // plain
      "oA5ZnDfZw/.dk",                                            // DES
      "_J9..8Vgn8A9ih9Jq5CQ",                                     // DES, extended
      "$1$saltsalt$NuzA7WTAelpl95xgBGWN60",                       // MD5
      "$apr1$saltsalt$NuzA7WTAelpl95xgBGWN60",                    // MD5, of Apache
      "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",                        // SHA-1, of Apache
      "$5$saltsalt$LNzus132Ace.UhkEiZ2tyG0Ee8Y6ZDqVFRFcnL9zUY2",  // which libcrypt holds for outdated
      "$3$$878d8014606cda29677a44efa1353fc7",                     // NT
      "$2x$04$abcdefghijklmnopqrstuujydOTSfIH/d5oUHpsygqV5X9xJLQc6e",
      "*",
      "!",
      "x"};
  for (const std::string& hash : weak) {
    const std::string why = WhyNot(Cat("ok:", kBcrypt, "\nalice:", hash, "\n"));
    EXPECT_TRUE(why.starts_with("line 2: not a hash of bcrypt")) << hash << ": " << why;
    EXPECT_NE(why.find("htpasswd -B"), std::string::npos);
    if (hash.size() > 1) {
      EXPECT_EQ(why.find(hash), std::string::npos);
    }
  }
  for (const std::string_view hash : {kBcrypt, kSha512, kYescrypt})
    EXPECT_TRUE(WhyNot(Cat("alice:", hash.substr(0, hash.size() - 1))).starts_with("line 1: ")) << hash;
  std::string costly[] = {std::string(kBcrypt), std::string(kSha512), std::string(kYescrypt)};
  costly[0].replace(4, 2, "15");
  costly[1].replace(10, 4, "1000001");
  costly[2].replace(4, 1, "C");
  for (const std::string& hash : costly)
    EXPECT_TRUE(WhyNot(Cat("alice:", hash)).starts_with("line 1: this hash takes too long to check")) << hash;
}

TEST(UserList, WhoIsGoneOrHasAnotherHashIsNotKnownAnyMore) {
  const auto before = *UserList::Parse(Cat("alice:", kBcrypt, "\nbob:", kSha512, "\ncarol:", kYescrypt), nullptr);
  const auto alice = before->Find("alice")->in_tls, bob = before->Find("bob")->in_tls,
             carol = before->Find("carol")->in_clear;
  const auto after = *UserList::Parse(Cat("alice:", kBcrypt, "\nbob:", kYescrypt), before.get());
  EXPECT_TRUE(bob->HoldsAt(0));  // nothing of it shows until it is in force
  before->WithdrawAllBut(*after);
  EXPECT_TRUE(alice->HoldsAt(0));
  EXPECT_EQ(after->Find("alice")->in_tls, alice);
  EXPECT_FALSE(bob->HoldsAt(0));
  EXPECT_FALSE(carol->HoldsAt(0));
  EXPECT_TRUE(after->Find("bob")->in_tls->HoldsAt(0));
}

TEST(UserList, SaysWhichLineIsNone) {
  EXPECT_TRUE(WhyNot("").starts_with("it holds no user"));
  EXPECT_TRUE(WhyNot("# nobody\n").starts_with("it holds no user"));
  EXPECT_EQ(WhyNot("alice"), "line 1: not `name:hash`");
  EXPECT_EQ(WhyNot(Cat("\n:", kBcrypt)), "line 2: no name before the colon");
  EXPECT_TRUE(WhyNot("alice:").starts_with("line 1: no hash behind the name"));
  EXPECT_TRUE(WhyNot(Cat("a:", kBcrypt, "\na:", kBcrypt)).starts_with("line 2: this name is on an earlier line"));
}

}  // namespace
}  // namespace egret
