// egretctl replay.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"

namespace egret {

inline constexpr Flag kReplayFlags[] = {
    {.name = "--policy", .takes = Takes::kFolder},
    {.name = "--config", .takes = Takes::kFile},
    {.name = "--output", .choices = "table json"},
};

inline constexpr std::string_view kReplayUsage =
    R"(Usage: egretctl replay LOG --policy DIR [OPTION...]

Says what the policies in a folder would have changed of what an access log (JSON; - is standard input) tells: each
line is judged again, as of its time, and compared with what was decided then. A denial is one wherever it came; what
cannot be told without facts that the log does not hold (header fields, groups) is "undecided", and a tunnel that would
be decrypted is "inspect".
  --policy DIR        policies and domain sets, as a proxy's `directory` holds them
  --config FILE       with the listeners and policies of this configuration, in which those of DIR take the place of
                      those of the same names. Without it all policies of DIR judge every line, in the order of their
                      names
  --output table|json default: table
Exit status: 0 nothing would have changed; 1 a configuration is not valid, and why; 2 wrong usage; 4 something would.
)";

int RunReplay(std::span<const std::string> arguments, Output& output);

}  // namespace egret
