// The command line of egret run: where its own part ends and the command begins.
#include "source/run/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace egret {
namespace {

using Texts = std::vector<std::string>;

Result<RunOptions, Problem> Parse(Texts arguments) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  return ParseRunOptions(argv);
}

TEST(RunOptions, TakesValuesApartAndJoinedUpToTheCommand) {
  const auto options =
      Parse({"--allow", "a.test", "--allow=b.test:1", "--private", "10.0.0.0/8", "-q", "npm", "--allow", "--"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->allow, (Texts{"a.test", "b.test:1"}));
  EXPECT_EQ(options->private_ranges, Texts{"10.0.0.0/8"});
  EXPECT_EQ(options->command, (Texts{"npm", "--allow", "--"}));
  EXPECT_TRUE(options->quiet);
  EXPECT_TRUE(options->fenced);
}

TEST(RunOptions, TakesFilesByTheirNames) {
  const auto options = Parse({"--policy", "p", "--log=l", "--learn", "n", "--report", "r", "--record", "c",
                              "--record-key=k", "--record-subject", "s", "--core-dumps", "on", "true"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(
      (Texts{options->policy, options->log, options->learn, options->report, options->record, options->record_key}),
      (Texts{"p", "l", "n", "r", "c", "k"}));
  EXPECT_EQ(options->record_subjects, Texts{"s"});
  EXPECT_TRUE(options->core_dumps);
}

TEST(RunOptions, TwoDashesEndThem) {
  const auto options = Parse({"--no-fence", "--", "--allow", "--"});
  ASSERT_TRUE(options.ok());
  EXPECT_EQ(options->command, (Texts{"--allow", "--"}));
  EXPECT_FALSE(options->fenced);
}

TEST(RunOptions, SaysWhatIsWrong) {
  const auto why = [](Texts arguments) { return Parse(std::move(arguments)).error().text; };
  EXPECT_NE(why({}).find("no command"), std::string::npos);
  EXPECT_NE(why({"--allow", "a.test", "--"}).find("no command"), std::string::npos);
  EXPECT_NE(why({"--allow"}).find("--allow needs a value"), std::string::npos);
  for (const char* name : {"--parent", "--policy", "--log", "--report", "--private"})  // of a variable that is not set
    EXPECT_NE(why({name, "", "true"}).find("needs a value"), std::string::npos) << name;
  EXPECT_NE(why({"--parent=", "true"}).find("--parent needs a value"), std::string::npos);
  EXPECT_NE(why({"--nothing=1", "true"}).find("--nothing=1 is not an option"), std::string::npos);
}

TEST(RunOptions, HelpNeedsNoCommand) {
  const auto options = Parse({"--help"});
  ASSERT_TRUE(options.ok());
  EXPECT_TRUE(options->help);
}

}  // namespace
}  // namespace egret
