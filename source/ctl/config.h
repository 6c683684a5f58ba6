// egretctl config: of one proxy.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/admin_client.h"
#include "source/ctl/command.h"

namespace egret {

inline constexpr Flag kConfigFlags[] = {
    kAdminFlag, {.name = "--output", .choices = "table json"}, {.name = "--dump", .takes = Takes::kNothing}};

inline constexpr std::string_view kConfigUsage =
    "Usage: egretctl config [--admin WHERE] [--output table|json] [--dump]\n"
    "\n"
    "Says what a proxy has in force: where it came from, each resource with its version, and what is refused or "
    "missing "
    "and why.\n"
    "  --admin WHERE       HOST:PORT of loopback or unix:/PATH; default: 127.0.0.1:9901\n"
    "  --output table|json default: table\n"
    "  --dump              the configuration itself as JSON, secrets left out\n"
    "Exit status: 0 all is in force; 1 something is refused, in conflict or missing, or nobody pushes who should;\n"
    "2 wrong usage; 3 the proxy does not answer.\n";

int RunConfig(std::span<const std::string> arguments, Output& output);

}  // namespace egret
