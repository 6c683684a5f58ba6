// An access log -> a proposed policy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "source/learn/name_groups.h"
#include "source/learn/path_prefixes.h"
#include "source/learn/proposal.h"
#include "source/learn/traffic.h"

namespace egret {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Line(std::string_view kind, std::string_view identity, std::string_view target, std::string_view more) {
  return Cat(R"({"time":"2026-11-28T09:00:00.000000Z","event":"end","kind":")", kind, R"(","identity":")", identity,
             R"(","target":")", target, R"(","decision":"allow","upstream":"93.184.216.34:443")", more, "}\n");
}
std::string Tunnel(std::string_view identity, std::string_view target) {
  return Line("tunnel", identity, target, Cat(R"(,"method":"CONNECT","carries":"tls","sni":"x")"));
}
std::string Request(std::string_view identity, std::string_view target, std::string_view method, std::string_view path,
                    std::string_view more = {}) {
  return Line("request", identity, target, Cat(R"(,"method":")", method, R"(","path":")", path, '"', more));
}

std::string Proposed(std::string_view log, bool per_identity = true) {
  Traffic traffic;
  traffic.Add(log);
  return ProposedYaml(traffic, ProposeRules(traffic, per_identity), "learned", "the test");
}

TEST(Learn, HostsThatAreUsedAlikeShareARule) {
  EXPECT_EQ(Proposed(Tunnel("", "pypi.org:443") + Tunnel("", "pypi.org:443") + Tunnel("", "files.example:443")),
            "# Proposed by the test; read it before it is used.\n"
            "# Reached: 3 times, 2026-11-28 09:00\n"
            "policies:\n"
            "- name: \"learned\"\n"
            "  rules:\n"
            "  - name: files-example\n"
            "    to:\n"
            "      domains:\n"
            "      - \"files.example\"  # 1 time, 2026-11-28 09:00\n"
            "      - \"pypi.org\"       # 2 times, 2026-11-28 09:00\n"
            "      ports: [443]\n"
            "    action: ALLOW\n");
}

TEST(Learn, MethodsAndPathsAreKeptWhereTheyWereSeen) {
  const std::string text = Proposed(Request("", "a.example:80", "GET", "/simple/pip/") +
                                    Request("", "a.example:80", "HEAD", "/simple/six/"));
  EXPECT_THAT(text, HasSubstr("      methods: [\"GET\", \"HEAD\"]\n"
                              "      path_prefixes: [\"/simple/pip\", \"/simple/six\"]\n"));
}

TEST(Learn, WhatOneTunnelHidesNoRuleAsksFor) {
  const std::string inside = Request("", "a.example:443", "GET", "/x", R"(,"parent_id":"1")");
  const std::string seen =
      Line("tunnel", "", "a.example:443", R"(,"carries":"tls","sni":"a.example","inspected":"lazy")");
  EXPECT_THAT(Proposed(inside + seen), HasSubstr("path_prefixes: [\"/x\"]"));
  EXPECT_THAT(Proposed(inside + seen + Tunnel("", "a.example:443")), Not(HasSubstr("http")));
  EXPECT_THAT(Proposed(inside + seen), HasSubstr("# 1 time, "));  // the request inside is the tunnel's
}

TEST(Learn, ByIdentity) {
  const std::string log = Tunnel("alice", "a.example:443") + Tunnel("spiffe://prod/ns/x", "a.example:443") +
                          Tunnel("alice", "b.example:443");
  const std::string text = Proposed(log);
  EXPECT_THAT(text, HasSubstr("    from: {users: [\"alice\"]}\n    to:\n      domains:\n"
                              "      - \"a.example\"  # 1 time, 2026-11-28 09:00\n"
                              "      - \"b.example\"  # 1 time, 2026-11-28 09:00, by this identity only\n"));
  EXPECT_THAT(text, HasSubstr("    from: {spiffe_ids: [\"spiffe://prod/ns/x\"]}\n"));
  EXPECT_THAT(text, HasSubstr("  - name: a-example-2\n"));
  EXPECT_THAT(Proposed(log, false), Not(HasSubstr("from:")));
}

TEST(Learn, WhatWasRefusedOrReachedNobodyIsLeftOut) {
  const std::string text = Proposed(
      Tunnel("", "a.example:443") +
      R"({"event":"end","kind":"tunnel","target":"evil.example:443","decision":"deny","upstream":"93.184.216.34:443"})"
      "\n"
      R"({"event":"end","kind":"tunnel","target":"gone.example:443","decision":"allow"})"
      "\n"
      "no JSON\n");
  EXPECT_THAT(text, HasSubstr("; refused and left out: 1; allowed and not reached, left out: 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("evil")));
  EXPECT_THAT(text, Not(HasSubstr("gone")));
}

TEST(Learn, OtherProtocolsPortsAddressesAndPrivateRanges) {
  const std::string text = Proposed(
      R"({"event":"end","kind":"tunnel","target":"db.example:5432","decision":"allow","upstream":"10.1.2.3:5432","carries":"other"})"
      "\n"
      R"({"event":"end","kind":"tunnel","target":"[2001:db8::1]:443","decision":"allow","upstream":"[2001:db8::1]:443","carries":"tls","sni":"x"})"
      "\n"
      R"({"event":"end","kind":"tunnel","target":"old.example:443","decision":"allow","upstream":"93.184.216.34:443","carries":"tls"})"
      "\n"
      R"({"event":"end","kind":"tunnel","target":"ech.example:443","decision":"allow","upstream":"93.184.216.34:443","carries":"tls","sni":"front.example","ech":true})"
      "\n");
  EXPECT_THAT(text, HasSubstr("      ports: [5432]\n      protocols: [OTHER]\n    reaches_private: [\"10.1.2.3\"]\n"));
  EXPECT_THAT(text, HasSubstr("      cidrs:\n      - \"2001:db8::1\""));
  EXPECT_THAT(text, HasSubstr("    without_sni: true\n"));
  EXPECT_THAT(text, HasSubstr("    ech_outer_names: [\"front.example\"]\n"));
}

TEST(Learn, WhatClientsChooseIsBounded) {
  Traffic traffic;
  std::string log;
  for (size_t i = 0; i < Traffic::kMostPaths + 1; ++i) log += Request("", "a.example:80", "GET", Cat("/p", i));
  traffic.Add(log);
  EXPECT_TRUE(traffic.by_identity().at("").at({"a.example", 80}).many_paths);
  EXPECT_THAT(ProposedYaml(traffic, ProposeRules(traffic, true), "learned", "the test"),
              Not(HasSubstr("path_prefixes")));
}

TEST(NameGroups, FiveNamesOfOneOwnerAreAWildcard) {
  EXPECT_EQ(GroupNames({"a.x.example.com", "b.x.example.com", "c.x.example.com", "d.x.example.com"}).size(), 4);
  const auto groups = GroupNames({"a.x.example.com", "b.x.example.com", "c.x.example.com", "d.x.example.com",
                                  "e.x.example.com", "www.example.com", "x.example.com"});
  ASSERT_EQ(groups.size(), 3);
  EXPECT_EQ(groups.at("*.x.example.com").size(), 5);
  EXPECT_TRUE(groups.contains("www.example.com"));
  EXPECT_TRUE(groups.contains("x.example.com"));
}

TEST(NameGroups, OfSeveralOwnersNothingIs) {
  for (const char* suffix : {"github.io", "s3.amazonaws.com", "co.uk", "com"}) {
    std::set<std::string> names;
    for (const char* name : {"a", "b", "c", "d", "e", "f"}) names.insert(Cat(name, '.', suffix));
    EXPECT_EQ(GroupNames(names).size(), names.size()) << suffix;
  }
}

TEST(PathPrefixes, AreFew) {
  EXPECT_THAT(PrefixesOf({"/"}), IsEmpty());
  EXPECT_THAT(PrefixesOf({"/a/b", "/a/c", "/d/"}), ElementsAre("/a/b", "/a/c", "/d"));
  EXPECT_THAT(PrefixesOf({"/repos/acme/17/x", "/repos/acme/18/y"}), ElementsAre("/repos/acme"));
  EXPECT_THAT(PrefixesOf({"/blob/3f2b9c01d4e75a66", "/blob/99aa21bc01d4e75b"}), ElementsAre("/blob"));
  EXPECT_THAT(PrefixesOf({"/p/a", "/p/b", "/p/c", "/p/d", "/p/e", "/p/f", "/p/g", "/p/h", "/p/i"}), ElementsAre("/p"));
  EXPECT_THAT(PrefixesOf({"/a/../b"}), IsEmpty());
  std::set<std::string> many;
  for (const char* top : {"a", "b", "c"})
    for (const char* below : {"1x", "2x", "3x"}) many.insert(Cat('/', top, '/', below));
  EXPECT_THAT(PrefixesOf(many), ElementsAre("/a", "/b", "/c"));
}

}  // namespace
}  // namespace egret
