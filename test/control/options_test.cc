#include "source/control/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace egret {
namespace {

Result<ControlOptions, Problem> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "egret-control");
  return ParseControlOptions(static_cast<int>(words.size()), words.data());
}
std::string Why(const std::vector<const char*>& words) {
  const auto options = Parse(words);
  return options ? "" : options.error().text;
}

TEST(ControlOptions, AreTakenInBothForms) {
  const auto options = Parse({"--resources", "r", "--listen=127.0.0.1:0", "--admin", "127.0.0.1:1", "-l", "error"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->resources, "r");
  EXPECT_EQ(options->listen, "127.0.0.1:0");
  EXPECT_EQ(options->admin, "127.0.0.1:1");
  EXPECT_EQ(options->log_level, LogLevel::kError);
}

TEST(ControlOptions, ClearTextToOtherMachinesHasToBeMeant) {
  EXPECT_NE(Why({"--resources", "r", "--listen", "0.0.0.0:0"}).find("--in-clear"), std::string::npos);
  EXPECT_EQ(Why({"--resources", "r", "--listen", "0.0.0.0:0", "--in-clear"}), "");
  EXPECT_EQ(Why({"--resources", "r", "--listen", "0.0.0.0:0", "--tls-cert", "c", "--tls-key", "k"}), "");
  EXPECT_EQ(Why({"--resources", "r", "--listen", "[::1]:0"}), "");
}

TEST(ControlOptions, SayWhatIsMissing) {
  EXPECT_EQ(Why({"--listen", "127.0.0.1:0"}), "--resources DIR is needed; see egret-control --help");
  EXPECT_EQ(Why({"--resources", "r"}), "--listen ADDRESS:PORT is needed; see egret-control --help");
  EXPECT_EQ(Why({"--resources", "r", "--mode", "validate"}), "");
  EXPECT_EQ(Why({"--resources", "r", "--listen", "127.0.0.1:0", "--tls-cert", "c"}),
            "--tls-cert and --tls-key go together");
  EXPECT_EQ(Why({"--resources", "r", "--listen", "127.0.0.1:0", "--client-ca", "c"}),
            "--client-ca needs --tls-cert and --tls-key");
  EXPECT_EQ(Why({"--resources", "r", "--listen", "localhost"}),
            "--listen localhost: takes an address and a port: 127.0.0.1:18000");
  EXPECT_EQ(Why({"--resources"}), "--resources needs a value; see egret-control --help");
  EXPECT_EQ(Why({"--resourcse", "r"}), "--resourcse r: is not an option of egret-control; see egret-control --help");
}

TEST(ControlOptions, OperatorsAskBySocketOrWithACertificate) {
  const std::vector<const char*> some = {"--resources", "r", "--listen",  "127.0.0.1:0",
                                         "--tls-cert",  "c", "--tls-key", "k"};
  const auto with = [&](std::vector<const char*> more) {
    more.insert(more.begin(), some.begin(), some.end());
    return Why(more);
  };
  EXPECT_EQ(with({"--control", "unix:/run/s"}), "");
  EXPECT_EQ(with({"--control", "unix:s"}), "--control unix:s: takes unix:/PATH, or an address and a port");
  const std::string deep = "unix:/" + std::string(107, 'x');
  EXPECT_NE(with({"--control", deep.c_str()}).find("at most 107 bytes"), std::string::npos);
  EXPECT_NE(with({"--control", "127.0.0.1:0", "--viewers", "a"}).find("--client-ca"), std::string::npos);
  EXPECT_NE(with({"--control", "127.0.0.1:0", "--client-ca", "c"}).find("--viewers"), std::string::npos);
  EXPECT_EQ(with({"--control", "127.0.0.1:0", "--client-ca", "c", "--viewers", "a,b"}), "");
}

}  // namespace
}  // namespace egret
