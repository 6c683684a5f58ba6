#include "source/filters/bound_identities.h"

#include <gtest/gtest.h>

namespace egret {
namespace {

TEST(BoundIdentities, WithoutListsHoldEverybodyAndNobody) {
  const Identity someone;
  EXPECT_TRUE(BoundIdentities().Hold(nullptr, 1));
  EXPECT_TRUE(BoundIdentities().Hold(&someone, 1));
}

TEST(BoundIdentities, HoldWhoHasOneOfEachList) {
  Identity who;
  who.user = "alice";
  who.groups = {"dev", "ops"};
  who.spiffe_id = "spiffe://prod/ns/build/sa/ci";
  who.service_account = "build/ci";
  const auto holds = [&who](const BoundIdentities& bound) {
    EXPECT_FALSE(bound.Hold(nullptr, 1));
    return bound.Hold(&who, 1);
  };
  EXPECT_TRUE(holds({.users = {"bob", "alice"}}));
  EXPECT_FALSE(holds({.users = {"bob", "ali"}}));
  EXPECT_TRUE(holds({.groups = {"qa", "ops"}}));
  EXPECT_FALSE(holds({.groups = {"qa"}}));
  EXPECT_TRUE(holds({.service_accounts = {"build/ci"}}));
  EXPECT_FALSE(holds({.service_accounts = {"build/cd"}}));
  for (const char* id : {"spiffe://prod/ns/build/sa/ci", "spiffe://prod/ns/build/*", "spiffe://prod/*"})
    EXPECT_TRUE(holds({.spiffe_ids = {id}})) << id;
  for (const char* id : {"spiffe://prod/ns/build/sa/c", "spiffe://prod/ns/bui/*", "spiffe://prod/ns/build",
                         "spiffe://prod/ns/build/sa/ci/*", "spiffe://production/*"})
    EXPECT_FALSE(holds({.spiffe_ids = {id}})) << id;
  EXPECT_TRUE(holds({.users = {"alice"}, .groups = {"dev"}}));
  EXPECT_FALSE(holds({.users = {"alice"}, .groups = {"qa"}}));
}

TEST(BoundIdentities, HoldNobodyWhoseProofHasEnded) {
  Identity who;
  who.user = "alice";
  who.ends = 10;
  const BoundIdentities bound = {.users = {"alice"}};
  EXPECT_TRUE(bound.Hold(&who, 9));
  EXPECT_FALSE(bound.Hold(&who, 10));
}

}  // namespace
}  // namespace egret
