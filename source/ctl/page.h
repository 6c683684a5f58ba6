// egretctl page: a page of a proxy's admin interface as it is, for machines that have no curl.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/admin_client.h"
#include "source/ctl/command.h"

namespace egret {

inline constexpr Flag kPageFlags[] = {kAdminFlag, {.name = "--post", .takes = Takes::kNothing}};
inline constexpr std::string_view kPageWords =
    "/ /ready /server_info /listeners /clusters /inspection /connections /connections/end?request_id= /certs "
    "/config_dump /config_status /stats /stats/prometheus /taps /healthcheck/fail /healthcheck/ok";

inline constexpr std::string_view kPageUsage =
    "Usage: egretctl page [--admin WHERE] [--post] [PATH]\n"
    "\n"
    "Prints a page of a proxy's admin interface as it is; / lists them, and is the default:\n"
    "  egretctl page '/stats?filter=^egret_failures'\n"
    "  egretctl page --post '/connections/end?request_id=5889a453573e3e91'\n"
    "  --admin WHERE       HOST:PORT of loopback or unix:/PATH; default: 127.0.0.1:9901\n"
    "  --post              asks by POST, which pages need that change something\n"
    "Exit status: 0 done; 1 it refuses; 2 wrong usage; 3 the proxy does not answer.\n";

int RunPage(std::span<const std::string> arguments, Output& output);

}  // namespace egret
