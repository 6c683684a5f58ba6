// The command line: what is taken, and what is said of what is not.
#include "source/server/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace egret {
namespace {

Result<Options, Problem> Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "egret");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseOptions(static_cast<int>(argv.size()), argv.data());
}

TEST(Options, TakesValuesApartAndJoined) {
  const auto options = Parse({"--config", "a.yaml", "--port=0", "--workers", "3", "--drain-time-s=1"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->config, "a.yaml");
  EXPECT_EQ(options->port, 0);
  EXPECT_EQ(options->workers, 3u);
  EXPECT_EQ(options->drain_ms, 1000u);
}

TEST(Options, ANodeHasAName) {
  EXPECT_EQ(Parse({"--node-id", "egret-5d9-x"})->node_id, "egret-5d9-x");
  EXPECT_EQ(Parse({"--service-node=p1"})->node_id, "p1");  // Envoy's word
  EXPECT_EQ(Parse({"--node-id="}).error().text, "--node-id : takes a name of 1 to 256 bytes");
}

TEST(Options, WhatIsEmptyIsNotWhatWasMeant) {
  for (const std::string name : {"--config", "--parent", "--parent-credentials", "--ready-file", "--take-over"})
    EXPECT_NE(Parse({name, ""}).error().text.find("must not be empty"), std::string::npos) << name;
}

TEST(Options, CoreDumpsAreOffUnlessAskedFor) {
  EXPECT_FALSE(Parse({})->core_dumps);
  EXPECT_TRUE(Parse({"--core-dumps", "on"})->core_dumps);
  EXPECT_FALSE(Parse({"--core-dumps=off"})->core_dumps);
  EXPECT_EQ(Parse({"--core-dumps", "yes"}).error().text, "--core-dumps yes: takes on or off");
}

TEST(Options, SaysWhatIsWrongWithAValue) {
  EXPECT_EQ(Parse({"--port", "65536"}).error().text, "--port 65536: takes a number from 0 (any free port) to 65535");
  EXPECT_EQ(Parse({"--workers", "0"}).error().text, "--workers 0: takes a number from 1 to 1024");
  EXPECT_EQ(Parse({"--mode", "fast"}).error().text, "--mode fast: takes serve or validate");
}

TEST(Options, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Parse({"--nope", "1"}).error().text, "--nope 1: is not an option of egret; see egret --help");
  EXPECT_EQ(Parse({"serve"}).error().text, "serve: egret takes no such argument; see egret --help");
  EXPECT_EQ(Parse({"--config"}).error().text, "--config needs a value; see egret --help");
}

TEST(Options, HelpWinsOverEverything) {
  EXPECT_EQ(Parse({"--port", "1", "--help"})->mode, Options::Mode::kHelp);
  EXPECT_FALSE(HelpText().empty());
}

}  // namespace
}  // namespace egret
