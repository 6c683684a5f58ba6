#include "source/io/resolver_files.h"

#include <gtest/gtest.h>

#include "source/base/strings.h"

namespace egret {
namespace {

std::string Text(const std::vector<Endpoint>& servers) {
  std::string text;
  for (const Endpoint& server : servers) Append(text, server.ToString(), ' ');
  return text;
}

TEST(ResolverFiles, ServersAreReadAndAllElseOfResolvConfIsNot) {
  EXPECT_EQ(Text(ParseResolvConf("search a b\nnameserver 192.0.2.1 # first\n;nameserver 192.0.2.2\n"
                                 "nameserver\t2001:db8::53\r\nnameserver fe80::1%eth0\nnameservers 192.0.2.3\n"
                                 "nameserver 192.0.2.4\nnameserver 192.0.2.5")),
            "192.0.2.1:53 [2001:db8::53]:53 192.0.2.4:53 ");
  EXPECT_EQ(Text(ParseResolvConf("")), "127.0.0.1:53 ");
}

TEST(ResolverFiles, HostsMapsEveryNameOfALineAndKeepsIPv6First) {
  const HostsTable hosts =
      ParseHosts("192.0.2.1 A.test a\n192.0.2.1 a.test\n2001:db8::1\ta.test\n1.2 b.test\n#::1 c\n::1");
  ASSERT_EQ(hosts.size(), 2u);
  ASSERT_EQ(hosts.at("a.test").size(), 2u);
  EXPECT_EQ(hosts.at("a.test")[0].ToString(), "2001:db8::1");
  EXPECT_EQ(hosts.at("a")[0].ToString(), "192.0.2.1");
}

}  // namespace
}  // namespace egret
