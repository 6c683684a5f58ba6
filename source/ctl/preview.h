// egretctl preview.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/admin_client.h"
#include "source/ctl/command.h"
#include "source/ctl/control_client.h"

namespace egret {

inline constexpr Flag kPreviewFlags[] = {
    kAdminFlag,          {.name = "--for"},   {.name = "--output", .choices = "table json"},
    {.name = "--group"}, {.name = "--proxy"}, kControlFlag,
    kTlsCaFlag,          kTlsCertFlag,        kTlsKeyFlag,
};

inline constexpr std::string_view kPreviewUsage =
    R"(Usage: egretctl preview DIR [--for TIME] [--admin WHERE] [--output table|json]
       egretctl preview DIR --group GROUP [--proxy ID] [--for TIME] [--control WHERE]... [OPTION...]

Lets a proxy decide twice for a while: by what is in force, and by what it would be with the policies and domain sets of
a folder (as a proxy's directory holds them) in place of those of the same names. Only the first counts. Decisions that
would come out otherwise are listed as they are met, by who asked for what, and in a table at the end. An exchange is
listed once, at the first stage where it would go another way. It ends after its time, or with this command: at Ctrl-C
with its table as well. Of a group: by way of its control plane, as an operator; all its proxies do, their sum is told,
and what its files would refuse is refused.
  --for TIME          how long: 30s, 10m, 24h; default: 10m
  --admin WHERE       HOST:PORT of loopback or unix:/PATH; default: 127.0.0.1:9901
  --output table|json default: table; json: one object a line, as they come
  --group GROUP       of the control plane; with --proxy only the one of that node.id
  --control WHERE     unix:/PATH or HOST:PORT; once for each replica. Default: unix:/run/egret/control.sock
  --tls-ca FILE, --tls-cert FILE, --tls-key FILE
                      PEM, for HOST:PORT: whom to believe, and what to show
Exit status: 0 nothing would change, of what was seen; 1 the candidate is not valid, and why; 2 wrong usage; 3 the proxy
or a control plane does not answer, or went away before the time was over; 4 some decisions would change.
)";

int RunPreview(std::span<const std::string> arguments, Output& output);

}  // namespace egret
