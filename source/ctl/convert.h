// egretctl convert.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"
#include "source/ctl/flags.h"

namespace egret {

inline constexpr Flag kConvertFlags[] = {{.name = "--to", .choices = "json textproto"}};

inline constexpr std::string_view kConvertUsage =
    "Usage: egretctl convert FILE [--to json|textproto]\n"
    "\n"
    "Prints the file as canonical protobuf JSON (the default) or text format, which egret reads to the same effect. "
    "Checks\n"
    "what can be told of each line, not whether the whole makes sense: that is egretctl validate. Secrets that are "
    "written\n"
    "into the file are printed.\n";

int RunConvert(std::span<const std::string> arguments, Output& output);

}  // namespace egret
