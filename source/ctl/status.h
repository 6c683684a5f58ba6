// egretctl status.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"
#include "source/ctl/flags.h"

namespace egret {

inline constexpr Flag kStatusFlags[] = {
    {.name = "--control"},
    {.name = "--group"},
    {.name = "--output", .choices = "table json"},
    {.name = "--tls-ca", .takes = Takes::kFile},
    {.name = "--tls-cert", .takes = Takes::kFile},
    {.name = "--tls-key", .takes = Takes::kFile},
};

inline constexpr std::string_view kStatusUsage =
    "Usage: egretctl status [--control unix:/PATH|HOST:PORT] [OPTION...]\n"
    "\n"
    "Asks a control plane (egret-control --control) what it serves, and which proxy has it in force or refuses it, and "
    "why.\n"
    "  --control WHERE     default: unix:/run/egret/control.sock\n"
    "  --group GROUP       only this one\n"
    "  --output table|json default: table\n"
    "  --tls-ca FILE, --tls-cert FILE, --tls-key FILE\n"
    "                      PEM, for HOST:PORT: whom to believe, and what to show\n"
    "Exit status: 0 all that is connected has everything in force; 1 something is refused, behind or not valid;\n"
    "2 wrong usage; 3 the control plane does not answer.\n";

int RunStatus(std::span<const std::string> arguments, Output& output);

}  // namespace egret
