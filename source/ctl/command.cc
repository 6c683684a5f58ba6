#include "source/ctl/command.h"

#include <algorithm>

#include "source/base/strings.h"
#include "source/ctl/ca.h"
#include "source/ctl/completion.h"
#include "source/ctl/config.h"
#include "source/ctl/convert.h"
#include "source/ctl/diff.h"
#include "source/ctl/drain.h"
#include "source/ctl/env.h"
#include "source/ctl/explain.h"
#include "source/ctl/learn.h"
#include "source/ctl/logging.h"
#include "source/ctl/page.h"
#include "source/ctl/preview.h"
#include "source/ctl/record.h"
#include "source/ctl/replay.h"
#include "source/ctl/rollout.h"
#include "source/ctl/status.h"
#include "source/ctl/tail.h"
#include "source/ctl/validate.h"

namespace egret {
namespace {

constexpr Command kCommands[] = {
    {"ca",
     "make a certificate authority for looking inside TLS",
     kCaUsage,
     RunCa,
     kCaFlags,
     {.choices = "init intermediate", .takes = Takes::kFolder}},
    {"completion",
     "print what makes a shell complete egretctl's words",
     kCompletionUsage,
     RunCompletion,
     {},
     {.choices = "bash zsh"}},
    {"config", "say what a proxy has in force, and what it refuses", kConfigUsage, RunConfig, kConfigFlags, {}},
    {"convert",
     "print a configuration as canonical JSON or text format",
     kConvertUsage,
     RunConvert,
     kConvertFlags,
     {.takes = Takes::kFile}},
    {"diff",
     "say what differs between two configurations, and what that does to logged decisions",
     kDiffUsage,
     RunDiff,
     kDiffFlags,
     {.takes = Takes::kFile}},
    {"drain", "make a proxy let its clients go", kDrainUsage, RunDrain, kDrainFlags, {}},
    {"env", "print what a client needs to use the proxy", kEnvUsage, RunEnv, kEnvFlags, {}},
    {"explain",
     "say what the policies decide about a request, and why",
     kExplainUsage,
     RunExplain,
     kExplainFlags,
     {.takes = Takes::kText}},
    {"learn",
     "propose a policy that allows what a log tells",
     kLearnUsage,
     RunLearn,
     kLearnFlags,
     {.takes = Takes::kFile}},
    {"logging",
     "tell or change what a proxy says of itself",
     kLoggingUsage,
     RunLogging,
     kLoggingFlags,
     {.choices = kLoggingWords}},
    {"page", "print a page of a proxy's admin interface", kPageUsage, RunPage, kPageFlags, {.choices = kPageWords}},
    {"preview",
     "say which decisions of a proxy a candidate policy would change",
     kPreviewUsage,
     RunPreview,
     kPreviewFlags,
     {.takes = Takes::kFolder}},
    {"record",
     "make, compare, sign and verify records of what was reached",
     kRecordUsage,
     RunRecord,
     kRecordFlags,
     {.choices = kRecordWords, .takes = Takes::kFile}},
    {"replay",
     "say what a folder of policies would have changed of what a log tells",
     kReplayUsage,
     RunReplay,
     kReplayFlags,
     {.takes = Takes::kFile}},
    {"rollout",
     "give a group's next release to more of its proxies",
     kRolloutUsage,
     RunRollout,
     kRolloutFlags,
     {.choices = kRolloutWords}},
    {"status", "say which proxy has which configuration in force", kStatusUsage, RunStatus, kStatusFlags, {}},
    {"tail", "follow what a proxy decides", kTailUsage, RunTail, kTailFlags, {}},
    {"validate", "check configuration files as egret would", kValidateUsage, RunValidate, {}, {.takes = Takes::kFile}},
};

bool AsksForHelp(std::string_view argument) { return argument == "--help" || argument == "-h"; }

std::string Overview() {
  std::string text = "Usage: egretctl COMMAND [ARGUMENT...]\n\nCommands:\n";
  for (const Command& command : Commands())
    Append(text, "  ", command.name, std::string(12 - command.name.size(), ' '), command.summary, "\n");
  return text +
         "\negretctl COMMAND --help says more. Exit status: 0 done, 1 refused, 2 misused, 3 nobody answers,\n4 "
         "something would change.\n";
}

}  // namespace

std::span<const Command> Commands() { return kCommands; }

int Misuse(std::string_view command, std::string_view why, Output& output) {
  const std::string name = command.empty() ? "egretctl" : Cat("egretctl ", command);
  Append(output.err, name, ": ", why, "\nTry ", name, " --help\n");
  return kMisused;
}

int RunEgretctl(std::span<const std::string> arguments, Output& output) {
  if (arguments.empty()) return Misuse("", "no command", output);
  const std::string& name = arguments.front();
  if (AsksForHelp(name)) {
    output.out += Overview();
    return kDone;
  }
  for (const Command& command : Commands()) {
    if (command.name != name) continue;
    arguments = arguments.subspan(1);
    const auto own_end = std::find(arguments.begin(), arguments.end(), "--");
    if (std::none_of(arguments.begin(), own_end, AsksForHelp)) return command.run(arguments, output);
    output.out += command.usage;
    return kDone;
  }
  return Misuse("", Cat("no command ", name), output);
}

}  // namespace egret
