// egretctl diff.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"

namespace egret {

inline constexpr Flag kDiffFlags[] = {
    {.name = "--log", .takes = Takes::kFile},
    {.name = "--output", .choices = "table json"},
};

inline constexpr std::string_view kDiffUsage =
    R"(Usage: egretctl diff OLD NEW [--log FILE] [--output table|json]

Says which resources differ between two configurations, each a file as egret starts with or a folder as its directory
holds them; and, given an access log (JSON), which of the decisions in it would come out otherwise. The log does not
hold everything: header fields are not in it, and a name is taken to resolve to what was dialled.
  --log FILE          lines of an access log; - is standard input
  --output table|json default: table
Exit status: 0 nothing differs; 1 a configuration is not valid, and why; 2 wrong usage; 4 something differs.
)";

int RunDiff(std::span<const std::string> arguments, Output& output);

}  // namespace egret
