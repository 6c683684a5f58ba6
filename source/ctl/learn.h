// egretctl learn.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"

namespace egret {

inline constexpr Flag kLearnFlags[] = {
    {.name = "--name"},
    {.name = "--for-anybody", .takes = Takes::kNothing},
};

inline constexpr std::string_view kLearnUsage =
    R"(Usage: egretctl learn LOG [--name NAME] [--for-anybody]

Proposes the smallest readable policy that allows what an access log (JSON; - is standard input) says was allowed and
reached: by identity, the hosts, ports, and, where requests were seen, methods and prefixes of paths, with counts and
times as comments. It only proposes: what should not have been reached is allowed by it as well, so read it first.
Five names below one that has one owner, by the public suffix list, become a wildcard; query strings are not kept.
  --name NAME    of the policy; default: learned
  --for-anybody  rules for anybody in the place of rules for each identity
Then: egretctl replay says what of the log it would deny.
Exit status: 0 done; 1 the log cannot be read, or tells of nothing that was reached; 2 wrong usage.
)";

int RunLearn(std::span<const std::string> arguments, Output& output);

}  // namespace egret
