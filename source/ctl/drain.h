// egretctl drain: of one proxy, or of those of a group.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/admin_client.h"
#include "source/ctl/command.h"
#include "source/ctl/control_client.h"

namespace egret {

inline constexpr Flag kDrainFlags[] = {
    kAdminFlag,          {.name = "--quit", .takes = Takes::kNothing},
    {.name = "--group"}, {.name = "--proxy"},
    kControlFlag,        kTlsCaFlag,
    kTlsCertFlag,        kTlsKeyFlag,
};

inline constexpr std::string_view kDrainUsage =
    "Usage: egretctl drain [--admin WHERE] [--quit]\n"
    "       egretctl drain --group GROUP [--proxy ID] [--control unix:/PATH|HOST:PORT]... [OPTION...]\n"
    "\n"
    "Makes a proxy take no new connection and let what is open end, as SIGTERM does; the process stays. Of a group: by "
    "way of\n"
    "its control plane, as an operator; the processes end with it.\n"
    "  --admin WHERE       HOST:PORT of loopback or unix:/PATH; default: 127.0.0.1:9901\n"
    "  --quit              the process ends with it\n"
    "  --group GROUP       of the control plane; with --proxy only the one of that node.id\n"
    "  --control WHERE     unix:/PATH or HOST:PORT; once for each replica. Default: unix:/run/egret/control.sock\n"
    "  --tls-ca FILE, --tls-cert FILE, --tls-key FILE\n"
    "                      PEM, for HOST:PORT: whom to believe, and what to show\n"
    "Exit status: 0 they do; 1 nobody was told; 2 wrong usage; 3 the proxy or a control plane does not answer.\n";

int RunDrain(std::span<const std::string> arguments, Output& output);

}  // namespace egret
