#include "source/ctl/fleet_table.h"

#include <gtest/gtest.h>

#include <string>

namespace egret {
namespace {

using control::v1::ProxyStatus;
using control::v1::StatusResponse;

ProxyStatus& AddProxy(StatusResponse& status, const char* id, const char* version, bool connected = true) {
  ProxyStatus& proxy = *status.add_proxies();
  proxy.set_id(id);
  proxy.set_group("web");
  proxy.set_release("0.1.0");
  proxy.set_connected(connected);
  proxy.set_version(version);
  proxy.mutable_since()->set_seconds(1'000);
  if (*version != '\0') proxy.mutable_version_since()->set_seconds(1'100);
  return proxy;
}

StatusResponse Fleet() {
  StatusResponse status;
  auto& group = *status.add_groups();
  group.set_name("web");
  group.set_version("aaaabbbbccccdddd");
  group.mutable_since()->set_seconds(1'000);
  AddProxy(status, "p1", "aaaabbbbccccdddd");
  return status;
}

TEST(FleetTable, ShowsWhoHasWhat) {
  const StatusResponse status = Fleet();
  EXPECT_EQ(FleetTable(status, 1'172),
            "GROUP  VERSION       AGE    FILES\n"
            "web    aaaabbbbcccc  2m52s  served\n"
            "\n"
            "PROXY  GROUP  STATE     VERSION       AGE    CONFIG  CONNECTED  RELEASE\n"
            "p1     web    in force  aaaabbbbcccc  1m12s  -       2m52s      0.1.0\n");
  EXPECT_TRUE(AllInForce(status));
}

TEST(FleetTable, WhoIsGoneIsNoFailureAndWhoIsBehindIs) {
  StatusResponse status = Fleet();
  AddProxy(status, "p2", "old", false);
  EXPECT_TRUE(AllInForce(status));
  EXPECT_NE(FleetTable(status, 100'000).find("p2     web    gone      old"), std::string::npos);
  AddProxy(status, "p3", "old");
  EXPECT_FALSE(AllInForce(status));
  EXPECT_NE(FleetTable(status, 100'000).find("p3     web    behind "), std::string::npos);
}

TEST(FleetTable, SaysWhyAndWhatToDo) {
  StatusResponse status = Fleet();
  auto& rejection = *status.mutable_proxies(0)->add_rejections();
  rejection.set_type_url("type.googleapis.com/egret.config.v1.EgressPolicy");
  rejection.set_name("web");
  rejection.set_field("rules[0].to");
  rejection.set_value("x");
  rejection.set_reason("no\x1b[2Jgood\n");
  rejection.set_remedy("mend it");
  const std::string table = FleetTable(status, 1'172);
  EXPECT_NE(table.find("p1     web    refuses "), std::string::npos) << table;
  EXPECT_TRUE(table.ends_with("\n\np1 of web refuses EgressPolicy web rules[0].to: x: no?[2Jgood?; mend it\n"))
      << table;
  EXPECT_FALSE(AllInForce(status));
}

TEST(FleetTable, SaysWhatAProxySaysOfItself) {
  StatusResponse status = Fleet();
  auto& proxy = *status.mutable_proxies(0);
  proxy.mutable_config()->set_source(control::v1::ConfigStatus::LAST_GOOD);
  proxy.mutable_config()->mutable_since()->set_seconds(1'162);
  auto& waiting = *proxy.add_waiting();
  waiting.set_type_url("type.googleapis.com/egret.config.v1.EgressPolicy");
  waiting.set_name("web");
  waiting.set_state(control::v1::ResourceStatus::MISSING);
  waiting.add_errors()->set_reason("Listener egress refers to it");
  const std::string table = FleetTable(status, 1'172);
  EXPECT_NE(table.find("p1     web    waits  aaaabbbbcccc  1m12s  last_good 10s  2m52s "), std::string::npos) << table;
  EXPECT_TRUE(table.ends_with("\n\np1 of web has no EgressPolicy web: Listener egress refers to it\n")) << table;
  EXPECT_FALSE(AllInForce(status));
}

TEST(FleetTable, SaysWhatIsWrongWithTheFiles) {
  StatusResponse status = Fleet();
  status.mutable_groups(0)->add_problems("a.yaml:1:1 policies[0]: bad; mend it");
  EXPECT_FALSE(AllInForce(status));
  const std::string table = FleetTable(status, 1'172);
  EXPECT_NE(table.find("1 problem, last good served\n"), std::string::npos) << table;
  EXPECT_TRUE(table.ends_with("\n\na.yaml:1:1 policies[0]: bad; mend it\n")) << table;
}

}  // namespace
}  // namespace egret
