// The address guard, range by range.
#include "source/policy/guard.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/policy/support.h"

namespace egret {
namespace {

std::string ReasonFor(std::string_view address) { return std::string(AddressGuard().Judge(Ip(address), 443).reason); }

CidrSet SetOf(std::initializer_list<std::string_view> ranges) {
  std::vector<Cidr> list;
  for (const auto range : ranges) list.push_back(*Cidr::Parse(range));
  return CidrSet(list);
}

struct Row {
  std::string_view address;
  std::string_view reason;
};

TEST(Guard, D01_SpecialIpv4IsRefused) {
  const std::vector<Row> rows = {
      {"0.0.0.0", "this_network"},
      {"0.255.255.255", "this_network"},
      {"1.0.0.0", ""},
      {"9.255.255.255", ""},
      {"10.0.0.0", "private"},
      {"10.255.255.255", "private"},
      {"11.0.0.0", ""},
      {"100.63.255.255", ""},
      {"100.64.0.0", "shared"},
      {"100.127.255.255", "shared"},
      {"100.128.0.0", ""},
      {"126.255.255.255", ""},
      {"127.0.0.1", "loopback"},
      {"127.255.255.255", "loopback"},
      {"128.0.0.0", ""},
      {"169.253.255.255", ""},
      {"169.254.0.0", "link_local"},
      {"169.254.255.255", "link_local"},
      {"169.255.0.0", ""},
      {"172.15.255.255", ""},
      {"172.16.0.0", "private"},
      {"172.31.255.255", "private"},
      {"172.32.0.0", ""},
      {"192.0.0.0", "protocol_assignments"},
      {"192.0.0.255", "protocol_assignments"},
      {"192.0.1.0", ""},
      {"192.0.2.5", "documentation"},
      {"192.88.99.1", "6to4_relay"},
      {"192.88.100.0", ""},
      {"192.167.255.255", ""},
      {"192.168.0.0", "private"},
      {"192.168.255.255", "private"},
      {"192.169.0.0", ""},
      {"198.17.255.255", ""},
      {"198.18.0.0", "benchmarking"},
      {"198.19.255.255", "benchmarking"},
      {"198.20.0.0", ""},
      {"198.51.100.7", "documentation"},
      {"203.0.113.7", "documentation"},
      {"223.255.255.255", ""},
      {"224.0.0.1", "multicast"},
      {"239.255.255.255", "multicast"},
      {"240.0.0.0", "reserved"},
      {"255.255.255.254", "reserved"},
      {"255.255.255.255", "broadcast"},
      {"8.8.8.8", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(ReasonFor(row.address), row.reason) << row.address;
}

TEST(Guard, D02_SpecialIpv6IsRefusedAndEmbeddedIpv4IsJudged) {
  const std::vector<Row> rows = {
      {"::", "unspecified"},
      {"::1", "loopback"},
      {"::2", "v4_compatible"},
      {"::8.8.8.8", "v4_compatible"},
      {"::127.0.0.1", "v4_compatible"},
      {"::ffff:127.0.0.1", "loopback"},
      {"::ffff:8.8.8.8", ""},
      {"::ffff:0:127.0.0.1", "reserved"},
      {"64:ff9b::8.8.8.8", ""},
      {"64:ff9b::10.1.2.3", "private"},
      {"64:ff9b::127.0.0.1", "loopback"},
      {"64:ff9b::169.254.169.254", "metadata"},
      {"64:ff9b::0.0.0.0", "this_network"},
      {"64:ff9b:1::8.8.8.8", "nat64_local"},
      {"64:ff9b:1::169.254.169.254", "metadata"},
      {"64:ff9b:1:a9fe:a9:fe00::", "metadata"},  // a 48-bit prefix, RFC 6052 2.2
      {"64:ff9b:2::1", "reserved"},
      {"100::1", "discard"},
      {"2001::1", "teredo"},
      {"2001:0:a9fe:a9fe::1", "metadata"},           // its server
      {"2001:0:808:808:0:0:5601:5601", "metadata"},  // its client, inverted
      {"2001:db8::1", "documentation"},
      {"2001:db9::1", ""},
      {"2001:2::1", "protocol_assignments"},
      {"2001:200::1", ""},
      {"2002:808:808::1", "6to4"},
      {"2002:a9fe:a9fe::1", "metadata"},
      {"2606:4700::5efe:10.0.0.1", "private"},  // ISATAP
      {"2606:4700::200:5efe:a9fe:a9fe", "metadata"},
      {"2606:4700::5efe:8.8.8.8", ""},
      {"3fff::1", "documentation"},
      {"fc00::1", "unique_local"},
      {"fdff::1", "unique_local"},
      {"fd00:ec2::254", "metadata"},
      {"fe80::1", "link_local"},
      {"febf::1", "link_local"},
      {"fec0::1", "site_local"},
      {"ff02::1", "multicast"},
      {"4000::1", "reserved"},
      {"1::1", "reserved"},
      {"2606:4700::1111", ""},
      {"2a00:1450::1", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(ReasonFor(row.address), row.reason) << row.address;
}

TEST(Guard, D14_MetadataServicesAreNamedAndNeverExempt) {
  const CidrSet everything = SetOf({"0.0.0.0/0", "::/0"});
  const CidrSet* opened[] = {&everything};
  for (const auto address :
       {"169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "fd00:ec2::254", "64:ff9b::169.254.169.254", "::ffff:169.254.169.254", "2002:a9fe:a9fe::1"}) {
    EXPECT_EQ(ReasonFor(address), "metadata") << address;
    EXPECT_EQ(AddressGuard().Judge(Ip(address), 80, opened).reason, "metadata") << address;
  }
  for (const auto address : {"169.254.1.1", "fe80::1", "64:ff9b::169.254.1.1"})
    EXPECT_EQ(AddressGuard().Judge(Ip(address), 80, opened).reason, "link_local") << address;
  EXPECT_FALSE(AddressGuard().Judge(Ip("10.0.0.1"), 80, opened));
}

TEST(Guard, OnlyARangeThatEveryRuleNamesIsOpen) {
  const CidrSet ten = SetOf({"10.0.0.0/8"});
  const CidrSet narrow = SetOf({"10.1.0.0/16"});
  const CidrSet nothing;
  const AddressGuard guard;
  const auto refused = [&](std::string_view address, std::vector<const CidrSet*> opened) {
    return static_cast<bool>(guard.Judge(Ip(address), 443, opened));
  };
  EXPECT_FALSE(refused("10.1.2.3", {&ten}));
  EXPECT_FALSE(refused("10.1.2.3", {&ten, &narrow}));
  EXPECT_TRUE(refused("10.2.2.3", {&ten, &narrow}));
  EXPECT_TRUE(refused("10.1.2.3", {&ten, &nothing}));
  EXPECT_TRUE(refused("10.1.2.3", {})) << "no rule allows: nothing is open";
  EXPECT_TRUE(refused("192.168.0.1", {&ten}));
  // The address inside a NAT64 one may be named either way, and must be.
  const CidrSet nat64 = SetOf({"64:ff9b::/96"});
  EXPECT_FALSE(refused("64:ff9b::10.1.2.3", {&ten}));
  EXPECT_FALSE(refused("64:ff9b::10.1.2.3", {&nat64}));
  EXPECT_TRUE(refused("64:ff9b::192.168.0.1", {&ten}));
  // Opening 6to4 does not open what is inside by another name.
  const CidrSet inner = SetOf({"10.0.0.0/8"});
  EXPECT_TRUE(refused("2002:a00:1::1", {&inner})) << "6to4 itself is not named";
}

TEST(Guard, OwnListenersAreNeverReached) {
  const CidrSet everything = SetOf({"0.0.0.0/0", "::/0"});
  const CidrSet* opened[] = {&everything};
  const AddressGuard guard(
      {}, {*Endpoint::Parse("0.0.0.0:3128"), *Endpoint::Parse("127.0.0.1:9901"), *Endpoint::Parse("198.51.100.9:8443")},
      {Ip("10.0.0.5"), Ip("2001:db8::5")}, AddressGuard::MixedAnswers::kRefuse);
  const auto reason = [&](std::string_view address, uint16_t port) {
    return std::string(guard.Judge(Ip(address), port, opened).reason);
  };
  for (const auto address : {"127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "10.0.0.5", "2001:db8::5",
                             "::ffff:10.0.0.5", "64:ff9b::10.0.0.5"})
    EXPECT_EQ(reason(address, 3128), "own_listener") << address;
  EXPECT_EQ(reason("10.0.0.6", 3128), "");
  EXPECT_EQ(reason("127.0.0.1", 3129), "") << "loopback as such can be opened";
  EXPECT_EQ(reason("127.0.0.1", 9901), "own_listener");
  EXPECT_EQ(reason("127.0.0.2", 9901), "");
  EXPECT_EQ(reason("0.0.0.0", 9901), "own_listener");
  EXPECT_EQ(reason("198.51.100.9", 8443), "own_listener");
  EXPECT_EQ(reason("198.51.100.9", 8444), "");
}

TEST(Guard, RangesOfTheOperatorAreRefusedToo) {
  const AddressGuard guard({*Cidr::Parse("8.8.8.0/24"), *Cidr::Parse("2606:4700::/32")}, {}, {},
                           AddressGuard::MixedAnswers::kRefuse);
  EXPECT_EQ(guard.Judge(Ip("8.8.8.8"), 443).reason, "also_refused");
  EXPECT_EQ(guard.Judge(Ip("8.8.8.8"), 443).range.ToString(), "8.8.8.0/24");
  EXPECT_EQ(guard.Judge(Ip("64:ff9b::8.8.8.8"), 443).reason, "also_refused");
  EXPECT_EQ(guard.Judge(Ip("2606:4700::1"), 443).reason, "also_refused");
  EXPECT_FALSE(guard.Judge(Ip("8.8.4.4"), 443));
  const CidrSet named = SetOf({"8.8.8.0/24"});
  const CidrSet* opened[] = {&named};
  EXPECT_FALSE(guard.Judge(Ip("8.8.8.8"), 443, opened));
}

TEST(Guard, ARemedyNamesTheRangeAndTheRule) {
  const Finding finding = AddressGuard().Judge(Ip("127.0.0.1"), 8000);
  EXPECT_EQ(Remedy(Ip("127.0.0.1"), finding, "rule web of policy p"),
            "127.0.0.1 is refused: loopback. To open it, write reaches_private: [\"127.0.0.0/8\"] in rule web of "
            "policy p.");
  const Finding final = AddressGuard().Judge(Ip("64:ff9b::169.254.169.254"), 80);
  EXPECT_EQ(Remedy(Ip("64:ff9b::169.254.169.254"), final, "rule web of policy p"),
            "64:ff9b::a9fe:a9fe (169.254.169.254 inside) is refused: metadata. No rule can open this.");
}

TEST(Guard, ThisHostHasALoopbackAddress) {
  const auto local = LocalAddresses();
  EXPECT_NE(std::find(local.begin(), local.end(), Ip("127.0.0.1")), local.end());
}

TEST(CidrSet, FindsAddressesInNestedRangesOfBothFamilies) {
  const CidrSet set = SetOf({"10.0.0.0/8", "10.1.0.0/16", "192.0.2.1", "::/80", "2001:db8::/32", "2001:db8:1::/48"});
  for (const auto inside : {"10.0.0.0", "10.1.2.3", "10.255.255.255", "192.0.2.1", "::", "::1", "2001:db8:1::5"})
    EXPECT_TRUE(set.Contains(Ip(inside))) << inside;
  for (const auto outside : {"9.255.255.255", "11.0.0.0", "192.0.2.0", "192.0.2.2", "255.255.255.255", "8.8.8.8",
                             "2001:db9::", "0:0:0:0:1::", "ffff::"})
    EXPECT_FALSE(set.Contains(Ip(outside))) << outside;
  EXPECT_TRUE(CidrSet().empty());
  EXPECT_FALSE(CidrSet().Contains(Ip("10.0.0.1")));
}

}  // namespace
}  // namespace egret
