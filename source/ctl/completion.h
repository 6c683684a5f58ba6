// egretctl completion: for bash and zsh, made of the table of commands.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"

namespace egret {

inline constexpr std::string_view kCompletionUsage =
    "Usage: egretctl completion bash|zsh\n"
    "\n"
    "Prints a script that makes the shell complete egretctl's commands and options. In ~/.bashrc:\n"
    "  source <(egretctl completion bash)\n"
    "In ~/.zshrc, after compinit:\n"
    "  source <(egretctl completion zsh)\n";

int RunCompletion(std::span<const std::string> arguments, Output& output);

}  // namespace egret
