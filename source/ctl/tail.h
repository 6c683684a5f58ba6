// egretctl tail: of one proxy, or of those of a group.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/admin_client.h"
#include "source/ctl/command.h"
#include "source/ctl/control_client.h"

namespace egret {

inline constexpr Flag kTailFlags[] = {
    kAdminFlag,
    {.name = "--log", .takes = Takes::kNothing},
    {.name = "--verdict", .choices = "allow deny challenge forward relay inspect"},
    {.name = "--identity"},
    {.name = "--host"},
    {.name = "--policy"},
    {.name = "--rule"},
    {.name = "--contains"},
    {.name = "--lines"},
    {.name = "--output", .choices = "table json"},
    {.name = "--group"},
    {.name = "--proxy"},
    kControlFlag,
    kTlsCaFlag,
    kTlsCertFlag,
    kTlsKeyFlag,
};

inline constexpr std::string_view kTailUsage =
    R"(Usage: egretctl tail [--admin WHERE] [OPTION...]
       egretctl tail --group GROUP [--proxy ID] [--control WHERE]... [OPTION...]

Follows what a proxy decides, as it decides it: who asked for what, the verdict, and the rule. With --log how it began
and ended, as it would stand in the access log, whatever is logged. The proxy never waits for it: where more comes than
is taken, it says how many lines are missing. Of a group: by way of its control plane, as an operator; each line says
which proxy it is of.
  --admin WHERE       HOST:PORT of loopback or unix:/PATH; default: 127.0.0.1:9901
  --log               tunnels as they are opened, and all as it ends
  --verdict deny|challenge|allow
                      only what was decided so; or how it is allowed: forward|relay|inspect
  --identity NAME     only what this one asked for, by its whole name; "-": what nobody did
  --host NAME         only to this destination: example.com, *.example.com, .example.com (both) or an address
  --policy NAME       only what this policy decided
  --rule NAME         only what this rule decided
  --contains TEXT     only lines that have this in them, as --output json shows them
  --lines N           ends after so many
  --output table|json default: table; json: one object a line, as in the access log
  --group GROUP       of the control plane; with --proxy only the one of that node.id
  --control WHERE     unix:/PATH or HOST:PORT; once for each replica. Default: unix:/run/egret/control.sock
  --tls-ca FILE, --tls-cert FILE, --tls-key FILE
                      PEM, for HOST:PORT: whom to believe, and what to show
Exit status: 0 as many as were asked for; 1 no such filter; 2 wrong usage; 3 the proxy or
a control plane does not answer, or has ended.
)";

// One line of the log for people, with its end.
std::string ShownLogLine(const std::string& json);

int RunTail(std::span<const std::string> arguments, Output& output);

}  // namespace egret
