// egretctl validate.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"

namespace egret {

inline constexpr std::string_view kValidateUsage =
    "Usage: egretctl validate FILE...\n"
    "\n"
    "Checks each file as egret would at its start, and says all that is wrong with it on standard error, one line "
    "each:\n"
    "  file:line:column field: value: what is wrong; what to do\n"
    "Warnings do not fail it. FILE may be YAML, .json or .textproto; - is standard input, as YAML.\n";

int RunValidate(std::span<const std::string> arguments, Output& output);

}  // namespace egret
