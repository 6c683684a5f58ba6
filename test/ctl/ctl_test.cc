#include "test/ctl/ctl.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "source/ctl/command.h"

namespace egret {
namespace {

constexpr std::string_view kGood =
    "listeners: [{name: l, address: '127.0.0.1:1', filters: [http_connection: {filters: [{egress_policy: {policy: p}}, "
    "forward_router]}]}]\npolicies: [{name: p}]\n";

TEST(Egretctl, SaysWhatItCan) {
  const Said said = Ctl({"--help"});
  EXPECT_EQ(said.status, 0);
  for (const Command& command : Commands()) {
    EXPECT_NE(said.out.find(Cat("  ", command.name, " ")), std::string::npos);
    EXPECT_EQ(Ctl({std::string(command.name), "--help"}).out, command.usage);
    EXPECT_EQ(Ctl({std::string(command.name), "--help"}).status, 0);
  }
}

// What --help tells of and what shells complete are the same.
TEST(Egretctl, TheTableOfOptionsIsWhatHelpTellsOf) {
  for (const Command& command : Commands()) {
    std::set<std::string> told, known;
    const std::string_view usage = command.usage;
    for (size_t at = usage.find("--"); at != usage.npos; at = usage.find("--", at + 2)) {
      if (at > 0 && usage[at - 1] == '(') continue;  // of another program
      const size_t end = usage.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-", at);
      if (end - at > 2) told.emplace(usage.substr(at, end - at));
    }
    for (const Flag& flag : command.flags) known.emplace(flag.name);
    EXPECT_EQ(told, known) << command.name;
  }
}

TEST(Egretctl, EveryOptionOfTheTableIsTaken) {
  for (const Command& command : Commands()) {
    for (const Flag& flag : command.flags) {
      const Said said = Ctl({std::string(command.name), std::string(flag.name)});
      EXPECT_EQ(said.err.find("no option"), std::string::npos) << said.err;
    }
  }
}

TEST(Egretctl, SaysWhatIsWrongWithTheCommandLine) {
  EXPECT_EQ(Ctl({}).err, "egretctl: no command\nTry egretctl --help\n");
  EXPECT_EQ(Ctl({"vaildate"}).err, "egretctl: no command vaildate\nTry egretctl --help\n");
  EXPECT_EQ(Ctl({"validate"}).err, "egretctl validate: no file\nTry egretctl validate --help\n");
  EXPECT_EQ(Ctl({"validate", "--fast", "f"}).err,
            "egretctl validate: no option --fast\nTry egretctl validate --help\n");
  EXPECT_EQ(Ctl({"convert", "f", "--to"}).err, "egretctl convert: no format after --to\nTry egretctl convert --help\n");
  EXPECT_EQ(Ctl({"convert", "f", "--to=toml"}).err, "egretctl convert: no format toml\nTry egretctl convert --help\n");
  EXPECT_EQ(Ctl({"convert", "f", "g"}).err, "egretctl convert: more than one file\nTry egretctl convert --help\n");
  EXPECT_EQ(Ctl({"convert", "f", "g"}).status, 2);
}

TEST(Egretctl, X28_ValidatesEachFileAndFailsIfAnyIsWrong) {
  const std::string good = FileOf("good.yaml", kGood);
  const std::string bad = FileOf("bad.json", "{\"workers\": \"many\"}");
  EXPECT_EQ(Ctl({"validate", good}).status, 0);
  EXPECT_EQ(Ctl({"validate", good}).out, good + ": ok\n");
  const Said said = Ctl({"validate", bad, good, "/nowhere"});
  EXPECT_EQ(said.status, 1);
  EXPECT_EQ(said.out, good + ": ok\n");
  EXPECT_EQ(said.err, bad +
                          ":1:13 workers: many: not a whole number; write 0 to 4294967295 in decimal digits\n"
                          "/nowhere: cannot be read: No such file or directory; check the path\n");
}

TEST(Egretctl, LetsWarningsPass) {
  const std::string path = FileOf(
      "warned.yaml", Cat(kGood.substr(0, kGood.find("]\npolicies")), ", {name: t, internal: {}, filters: [tcp_relay]}",
                         kGood.substr(kGood.find("]\npolicies"))));
  const Said said = Ctl({"validate", path});
  EXPECT_EQ(said.status, 0);
  EXPECT_EQ(said.out, path + ": ok\n");
  EXPECT_NE(said.err.find("warning: t: no tunnel enters this listener"), std::string::npos) << said.err;
}

TEST(Egretctl, ConvertsToWhatItReadsBackTheSame) {
  const std::string yaml = FileOf("some.yaml", kGood);
  const Said json = Ctl({"convert", yaml});
  EXPECT_EQ(json.status, 0);
  EXPECT_EQ(json.err, "");
  const Said text = Ctl({"convert", "--to", "textproto", FileOf("some.json", json.out)});
  EXPECT_EQ(text.status, 0);
  EXPECT_EQ(Ctl({"convert", FileOf("some.textproto", text.out), "--to=json"}).out, json.out);
  EXPECT_EQ(Ctl({"convert", FileOf("none.yaml", "workers: x")}).status, 1);
}

}  // namespace
}  // namespace egret
