// egretctl logging: of one proxy.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/admin_client.h"
#include "source/ctl/command.h"

namespace egret {

inline constexpr Flag kLoggingFlags[] = {kAdminFlag, {.name = "--output", .choices = "table json"}};
inline constexpr std::string_view kLoggingWords =
    "debug info warning error off server= config= http= upstream= dns= policy= tls=";

inline constexpr std::string_view kLoggingUsage =
    "Usage: egretctl logging [--admin WHERE] [LEVEL | COMPONENT=LEVEL...]\n"
    "\n"
    "Says from which level on each component of a proxy says something of itself on standard error, or changes that:\n"
    "  egretctl logging debug               for all\n"
    "  egretctl logging dns=debug http=off  for some\n"
    "A level is debug, info, warning, error or off. A component is server, config, http, upstream, dns, policy or "
    "tls.\n"
    "  --admin WHERE       HOST:PORT of loopback or unix:/PATH; default: 127.0.0.1:9901\n"
    "  --output table|json default: table\n"
    "Exit status: 0 done; 1 no such level or component; 2 wrong usage; 3 the proxy does not answer.\n";

int RunLogging(std::span<const std::string> arguments, Output& output);

}  // namespace egret
