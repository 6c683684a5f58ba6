// egretctl env.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"
#include "source/ctl/flags.h"

namespace egret {

inline constexpr Flag kEnvFlags[] = {
    {.name = "--for", .choices = "chromium curl git go grpc java node pip python"},
    {.name = "--proxy"},
    {.name = "--ca", .takes = Takes::kFile},
};

inline constexpr std::string_view kEnvUsage =
    "Usage: egretctl env --for chromium|curl|git|go|grpc|java|node|pip|python [--proxy URL] [--ca FILE]\n"
    "\n"
    "Prints what a shell has to say so that this client goes through the proxy and believes its CA:\n"
    "  eval \"$(egretctl env --for pip --proxy http://egress:3128 --ca bundle.pem)\"\n"
    "--proxy: http:// or https://, host and port; http://127.0.0.1:3128 where it is not given. --ca: what the proxy "
    "gives\n"
    "out as /.well-known/egret/bundle.pem, or ca.pem for chromium, java and node, which keep believing the "
    "public roots besides.\n";

int RunEnv(std::span<const std::string> arguments, Output& output);

}  // namespace egret
