// egretctl drain: of one proxy.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/admin_client.h"
#include "source/ctl/command.h"

namespace egret {

inline constexpr Flag kDrainFlags[] = {kAdminFlag, {.name = "--quit", .takes = Takes::kNothing}};

inline constexpr std::string_view kDrainUsage =
    "Usage: egretctl drain [--admin WHERE] [--quit]\n"
    "\n"
    "Makes a proxy take no new connection and let what is open end, as SIGTERM does; the process stays.\n"
    "  --admin WHERE       HOST:PORT of loopback or unix:/PATH; default: 127.0.0.1:9901\n"
    "  --quit              the process ends with it\n"
    "Exit status: 0 it does; 2 wrong usage; 3 the proxy does not answer.\n";

int RunDrain(std::span<const std::string> arguments, Output& output);

}  // namespace egret
