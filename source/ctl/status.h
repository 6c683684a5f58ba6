// egretctl status.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"
#include "source/ctl/control_client.h"
#include "source/ctl/flags.h"

namespace egret {

inline constexpr Flag kStatusFlags[] = {
    kControlFlag, {.name = "--group"}, {.name = "--output", .choices = "table json"},
    kTlsCaFlag,   kTlsCertFlag,        kTlsKeyFlag,
};

inline constexpr std::string_view kStatusUsage =
    "Usage: egretctl status [--control unix:/PATH|HOST:PORT]... [OPTION...]\n"
    "\n"
    "Asks a control plane (egret-control --control) what it serves, and which proxy has it in force or refuses it, and "
    "why.\n"
    "Of several replicas each knows the proxies that are with it: give --control for each of them.\n"
    "  --control WHERE     unix:/PATH or HOST:PORT; once for each replica. Default: unix:/run/egret/control.sock\n"
    "  --group GROUP       only this one\n"
    "  --output table|json default: table\n"
    "  --tls-ca FILE, --tls-cert FILE, --tls-key FILE\n"
    "                      PEM, for HOST:PORT: whom to believe, and what to show\n"
    "Exit status: 0 all that is connected has everything in force; 1 something is refused, behind or not valid;\n"
    "2 wrong usage; 3 a control plane does not answer.\n";

int RunStatus(std::span<const std::string> arguments, Output& output);

}  // namespace egret
