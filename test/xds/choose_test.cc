#include "source/xds/choose.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "source/xds/compose.h"
#include "test/xds/push.h"

namespace egret {
namespace {

using enum ResourceType;

// A body named by one letter and a version, that refers to others: listeners L, M; policies P, Q; domain sets D, E.
ResourceKey Key(char name) {
  const ResourceType type = name == 'L' || name == 'M'   ? kListener
                            : name == 'P' || name == 'Q' ? kEgressPolicy
                                                         : kDomainSet;
  return {type, std::string(1, name)};
}
BodyPtr B(char name, std::string_view references = "", std::string_view version = "1") {
  auto body = std::make_shared<ResourceBody>();
  body->key = Key(name);
  body->version = version;
  body->message = NewResource(body->key.type);
  for (const char reference : references) body->references.push_back(Key(reference));
  return body;
}
Bodies Of(const std::vector<BodyPtr>& bodies) {
  Bodies all;
  for (const BodyPtr& body : bodies) all[body->key] = body;
  return all;
}
// "L1 P2": what is chosen, in which version.
std::string Shown(const Choice& choice) {
  std::string out;
  for (const auto& [key, body] : choice.bodies) Append(out, out.empty() ? "" : " ", key.name, body->version);
  return out;
}
std::string Missing(const Choice& choice) {
  std::string out;
  for (const auto& [key, users] : choice.missing) Append(out, key.name);
  return out;
}

TEST(Choose, TakesOnlyWhatListenersReach) {
  const Choice choice = Choose({}, Of({B('L', "P"), B('P', "D"), B('D'), B('Q'), B('E')}), {});
  EXPECT_EQ(Shown(choice), "L1 P1 D1");
  EXPECT_EQ(choice.wanted, (std::set<ResourceKey>{Key('P'), Key('D')}));
}

TEST(Choose, AListenerWaitsForAllThatItNeeds) {
  const Choice choice = Choose({}, Of({B('L', "P"), B('M'), B('P', "D")}), {});
  EXPECT_EQ(Shown(choice), "M1");
  EXPECT_EQ(Missing(choice), "D");
  EXPECT_EQ(choice.missing.at(Key('D')), std::vector<ResourceKey>{Key('P')});
  EXPECT_EQ(choice.warming, (std::set<ResourceKey>{Key('L'), Key('P')}));
}

TEST(Choose, WhatIsInForceStaysUntilTheNewOneHasAllThatItNeeds) {
  const Bodies in_force = Of({B('L', "P"), B('P')});
  EXPECT_EQ(Shown(Choose({}, Of({B('L', "P"), B('P', "D", "2")}), in_force)), "L1 P1");
  EXPECT_EQ(Shown(Choose({}, Of({B('L', "P"), B('P', "D", "2"), B('D')}), in_force)), "L1 P2 D1");
  // The listener need not wait for the policy's new body: the one in force will do.
  EXPECT_EQ(Shown(Choose({}, Of({B('L', "P", "2"), B('P', "D", "2")}), in_force)), "L2 P1");
}

TEST(Choose, NothingIsTakenAwayFromUnderWhatUsesIt) {
  const Bodies in_force = Of({B('L', "P"), B('P', "D"), B('D')});
  const Choice choice = Choose({}, Of({B('L', "P"), B('P', "D", "2")}), in_force);
  EXPECT_EQ(Shown(choice), "L1 P1 D1");  // and the new policy waits for what was removed
  EXPECT_EQ(Missing(choice), "D");
  EXPECT_EQ(Shown(Choose({}, Of({B('L', "P"), B('P', "", "2")}), in_force)), "L1 P2");
}

TEST(Choose, AListenerThatIsRemovedGoesAndWhatItNeededWithIt) {
  EXPECT_EQ(Shown(Choose({}, Of({B('M'), B('P')}), Of({B('L', "P"), B('P'), B('M')}))), "M1");
}

TEST(Choose, WhatIsParkedStaysAsItIsInForce) {
  Slots slots = Of({B('L', "P")});
  slots[Key('P')] = nullptr;
  EXPECT_EQ(Shown(Choose({}, slots, Of({B('L', "P"), B('P')}))), "L1 P1");
  EXPECT_EQ(Shown(Choose({}, slots, {})), "");
  slots[Key('L')] = nullptr;
  EXPECT_EQ(Shown(Choose({}, slots, Of({B('L', "P"), B('P')}))), "L1 P1");
}

TEST(Choose, ACircleCountsAsThere) {
  EXPECT_EQ(Shown(Choose({}, Of({B('L', "P"), B('P', "D"), B('D', "E"), B('E', "D")}), {})), "L1 P1 D1 E1");
}

TEST(Choose, TheBootstrapsOwnAreThereOnceWhatTheyNeedIs) {
  const Bodies own = Of({B('L', "P"), B('Q')});
  EXPECT_EQ(Shown(Choose(own, {}, {})), "Q1");
  EXPECT_EQ(Choose(own, {}, {}).wanted, std::set<ResourceKey>{Key('P')});
  EXPECT_EQ(Shown(Choose(own, Of({B('P')}), {})), "L1 P1 Q1");
  EXPECT_EQ(Shown(Choose(own, {}, Of({B('L', "P"), B('P'), B('Q')}))), "L1 P1 Q1");
}

// Whatever the order in which things come, nobody is ever in force without what it needs, and the end is the same.
TEST(Choose, AnyOrderEndsTheSame) {
  std::vector<BodyPtr> all = {B('L', "PQ"), B('M', "Q"), B('P', "D"), B('Q', "E"), B('D', "E"), B('E')};
  std::sort(all.begin(), all.end());
  int orders = 0;
  do {
    Slots slots;
    Bodies in_force;
    for (const BodyPtr& body : all) {
      slots[body->key] = body;
      in_force = Choose({}, slots, in_force).bodies;
      for (const auto& [key, one] : in_force)
        for (const ResourceKey& reference : one->references) ASSERT_TRUE(in_force.contains(reference));
    }
    ASSERT_EQ(in_force.size(), 6u);
    ++orders;
  } while (std::next_permutation(all.begin(), all.end()));
  EXPECT_EQ(orders, 720);
}

TEST(Compose, KeepsTheBootstrapsOrderAndAddsTheOthersByName) {
  const auto bootstrap = BootstrapOf(
      "workers: 2\npolicies: [{name: z}, {name: y}]\nsecrets: [{name: s, credential: "
      "{inline_string: x}}]\n");
  Bodies bodies = OwnBodies(*bootstrap);
  for (const BodyPtr& body : {BodyOf(kEgressPolicy, "{name: b}"), BodyOf(kEgressPolicy, "{name: a}")})
    bodies[body->key] = body;
  bodies.erase({kSecret, "s"});
  const auto effective = Compose(*bootstrap, bodies);
  ASSERT_EQ(effective->policies_size(), 4);
  EXPECT_EQ(effective->policies(0).name() + effective->policies(1).name() + effective->policies(2).name() +
                effective->policies(3).name(),
            "zyab");
  EXPECT_EQ(effective->secrets_size(), 0);
  EXPECT_EQ(effective->workers(), 2u);
}

}  // namespace
}  // namespace egret
