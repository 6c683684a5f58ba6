// egretctl rollout: how far a group's next release may go.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"
#include "source/ctl/control_client.h"
#include "source/ctl/flags.h"

namespace egret {

inline constexpr std::string_view kRolloutWords = "status advance halt";

inline constexpr Flag kRolloutFlags[] = {
    kControlFlag,
    {.name = "--group"},
    {.name = "--percent"},
    {.name = "--most-changed"},
    {.name = "--release"},
    {.name = "--reason"},
    {.name = "--resume", .takes = Takes::kNothing},
    {.name = "--output", .choices = "table json"},
    kTlsCaFlag,
    kTlsCertFlag,
    kTlsKeyFlag,
};

inline constexpr std::string_view kRolloutUsage =
    "Usage: egretctl rollout status [--group GROUP] [OPTION...]\n"
    "       egretctl rollout advance --group GROUP --percent N [--release VERSION] [--most-changed N]\n"
    "                                 [--resume] [OPTION...]\n"
    "       egretctl rollout halt --group GROUP [--reason TEXT] [OPTION...]\n"
    "\n"
    "Says how far a group's next release (GROUP/next in the control plane's folder) has come, gives it to N of 100 of "
    "its\n"
    "proxies, or to no more of them. Where a proxy that has it refuses something of it, or fails for causes of its "
    "own, "
    "it is\n"
    "halted; nothing is taken back but by removing GROUP/next.\n"
    "  --group GROUP       of proxies; status: default all that have a next release\n"
    "  --percent N         1 to 100, and not less than before\n"
    "  --most-changed N    halt it once decisions of more identities than that would be other ones, as the proxies "
    "that do "
    "not have\n"
    "                      it find; default: as said before, or any number\n"
    "  --release VERSION   which one is meant, as status has it; another is left alone\n"
    "  --resume            though it was halted\n"
    "  --reason TEXT       for others to read\n"
    "  --output table|json default: table\n"
    "  --control WHERE     unix:/PATH or HOST:PORT; once for each replica. Default: unix:/run/egret/control.sock\n"
    "  --tls-ca FILE, --tls-cert FILE, --tls-key FILE\n"
    "                      PEM, for HOST:PORT: whom to believe, and what to show\n"
    "Exit status: 0 done, none is halted; 1 it is refused, or one is halted; 2 wrong usage; 3 a control plane does not "
    "answer.\n";

int RunRollout(std::span<const std::string> arguments, Output& output);

}  // namespace egret
