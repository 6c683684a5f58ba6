// A proposal is a policy, and allows what it was made of.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "test/ctl/ctl.h"

namespace egret {
namespace {

std::string Line(std::string_view identity, std::string_view target, std::string_view upstream, std::string_view more) {
  return Cat(R"({"time":"2026-11-01T09:00:00.000000Z","event":"end","listener":"egress","source":"192.0.2.7:5000",)",
             R"("identity":")", identity, R"(","target":")", target, R"(","decision":"allow","policy":"web",)",
             R"("rule":"all","stage":"target","upstream":")", upstream, '"', more, "}\n");
}

std::string Log() {
  std::string log;
  for (const char* name : {"a", "b", "c", "d", "e", "f"})
    log += Line("ci", Cat(name, ".cdn.example.com:443"), "93.184.216.34:443",
                Cat(R"(,"kind":"tunnel","method":"CONNECT","carries":"tls","sni":")", name, R"(.cdn.example.com")"));
  log += Line("ci", "pypi.org:80", "151.101.0.223:80", R"(,"kind":"request","method":"GET","path":"/simple/pip/")");
  log += Line("spiffe://prod/ns/x", "db.corp.example:5432", "10.1.2.3:5432",
              R"(,"kind":"tunnel","method":"CONNECT","carries":"other")");
  return log;
}

TEST(Learn, TheProposalIsValidAndAllowsAllOfTheLog) {
  const std::string log = FileOf("learn.log", Log());
  const Said said = Ctl({"learn", log});
  ASSERT_EQ(said.status, 0) << said.err;
  EXPECT_NE(said.out.find("- \"*.cdn.example.com\"  # 6 times, 2026-11-01 09:00, 6 names, by this identity only\n"),
            std::string::npos)
      << said.out;
  const std::string folder = Cat(testing::TempDir(), "/proposed");
  mkdir(folder.c_str(), 0700);
  FileOf("proposed/policies.yaml", said.out);
  const Said replayed = Ctl({"replay", log, "--policy", folder});
  EXPECT_EQ(replayed.status, 0) << replayed.out << replayed.err << said.out;
  EXPECT_NE(replayed.out.find("0 of 8 decisions would change"), std::string::npos) << replayed.out;
  const std::string other = FileOf("other.log", Line("eve", "pypi.org:80", "151.101.0.223:80",
                                                     R"(,"kind":"request","method":"GET","path":"/simple/pip/")"));
  EXPECT_EQ(Ctl({"replay", other, "--policy", folder}).status, 4);
}

TEST(Learn, ForAnybodyUnderAnotherName) {
  const Said said = Ctl({"learn", FileOf("learn.log", Log()), "--for-anybody", "--name", "build"});
  EXPECT_NE(said.out.find("- name: \"build\"\n"), std::string::npos) << said.out;
  EXPECT_EQ(said.out.find("from:"), std::string::npos) << said.out;
}

TEST(Learn, NothingComesOfNothing) {
  const Said said = Ctl({"learn", FileOf("none.log", "{\"event\":\"end\",\"decision\":\"deny\"}\n")});
  EXPECT_EQ(said.status, 1);
  EXPECT_NE(said.err.find("nothing that was allowed and reached (1 lines"), std::string::npos) << said.err;
  EXPECT_EQ(Ctl({"learn", "/nowhere/log"}).status, 1);
  EXPECT_EQ(Ctl({"learn"}).status, 2);
}

}  // namespace
}  // namespace egret
