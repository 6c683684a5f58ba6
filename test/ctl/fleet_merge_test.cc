#include "source/ctl/fleet_merge.h"

#include <gtest/gtest.h>

#include <string>

namespace egret {
namespace {

using control::v1::ProxyStatus;
using control::v1::StatusResponse;

StatusResponse Replica(const char* version) {
  StatusResponse status;
  auto& group = *status.add_groups();
  group.set_name("web");
  group.set_version(version);
  auto& count = *group.add_counts();
  count.set_policy("p");
  count.set_rule("r");
  count.set_allowed(3);
  return status;
}

void Add(StatusResponse& status, const char* id, bool connected, int64_t since) {
  ProxyStatus& proxy = *status.add_proxies();
  proxy.set_id(id);
  proxy.set_group("web");
  proxy.set_connected(connected);
  proxy.mutable_since()->set_seconds(since);
}

TEST(FleetMerge, EachKnowsItsOwnProxies) {
  StatusResponse a = Replica("v"), b = Replica("v");
  Add(a, "p1", true, 1);
  Add(b, "p2", true, 1);
  const StatusResponse merged = Merge({a, b});
  EXPECT_EQ(merged.groups_size(), 1);
  EXPECT_EQ(merged.groups(0).counts(0).allowed(), 6u);
  EXPECT_TRUE(merged.groups(0).problems().empty());
  ASSERT_EQ(merged.proxies_size(), 2);
  EXPECT_EQ(merged.proxies(1).id(), "p2");
}

TEST(FleetMerge, WhoHasAProxyKnowsItBetterThanWhoHadIt) {
  StatusResponse a = Replica("v"), b = Replica("v"), c = Replica("v");
  Add(a, "p1", false, 9);
  Add(b, "p1", true, 5);
  Add(c, "p1", false, 7);
  EXPECT_TRUE(Merge({a, b, c}).proxies(0).connected());
  EXPECT_EQ(Merge({c, a}).proxies(0).since().seconds(), 9);
}

TEST(FleetMerge, ReplicasThatDifferAreAProblem) {
  const StatusResponse merged = Merge({Replica("v"), Replica("w")});
  ASSERT_EQ(merged.groups(0).problems_size(), 1);
  EXPECT_EQ(merged.groups(0).problems(0),
            "group web: replicas serve different versions, v and w; give all of them the same files");
}

}  // namespace
}  // namespace egret
