// egretctl explain.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"
#include "source/ctl/flags.h"

namespace egret {

inline constexpr Flag kExplainFlags[] = {
    {.name = "--config", .takes = Takes::kFile},
    {.name = "--listener"},
    {.name = "--policy"},
    {.name = "--from"},
    {.name = "--user"},
    {.name = "--group", .repeated = true},
    {.name = "--spiffe-id"},
    {.name = "--namespace"},
    {.name = "--service-account"},
    {.name = "--claim", .repeated = true},
    {.name = "--assurance", .choices = "SOURCE_ADDRESS TOKEN CERTIFICATE"},
    {.name = "--header", .repeated = true},
    {.name = "--resolved", .repeated = true},
    {.name = "--resolve", .takes = Takes::kNothing},
    {.name = "--protocol", .choices = "TLS HTTP OTHER"},
    {.name = "--sni"},
    {.name = "--ja3"},
    {.name = "--ja4"},
    {.name = "--ech", .takes = Takes::kNothing},
    {.name = "--inner"},
    {.name = "--at"},
    {.name = "--json", .takes = Takes::kNothing},
};

inline constexpr std::string_view kExplainUsage =
    R"(Usage: egretctl explain [OPTION...] METHOD URL
       egretctl explain [OPTION...] CONNECT HOST:PORT [--inner 'METHOD PATH']
       egretctl explain [OPTION...] [--] curl ARGUMENT...
       egretctl explain [OPTION...] LOG-LINE, or - to read one from standard input

Says what the policies decide about a request, stage by stage, and for a denial the smallest change that would allow
it. An https URL is a CONNECT to its host with that request inside. A curl command is taken as pasted; a line of the
access log is judged by the configuration at hand, as of its time. Nothing is sent or dialled.

Which policies:
  --config FILE           the configuration, or policies alone, which then all judge, as in egret run; without it, the one
                          that is built in
  --listener NAME         the policies of this listener; may be left out where there is only one
  --policy NAME[,NAME...] these policies instead

What is known of the request:
  --from ADDRESS          the client's address (127.0.0.1)
  --user NAME             who asks; also --group NAME (repeated), --spiffe-id ID, --namespace NAME,
                          --service-account NAMESPACE/NAME, --claim NAME=VALUE (repeated)
  --assurance HOW         how that is known: SOURCE_ADDRESS, TOKEN or CERTIFICATE (TOKEN; of a SPIFFE id CERTIFICATE)
  --header 'NAME: VALUE'  a header field of the request (repeated)
  --resolved ADDRESS      what the name resolves to (repeated)
  --resolve               ask this host's resolver what the name resolves to
  --protocol PROTOCOL     what a tunnel carries: TLS, HTTP or OTHER (TLS; on port 80 HTTP)
  --sni NAME              the name in the ClientHello (the target's); '' for none
  --ja3 HASH, --ja4 HASH  the fingerprint of that ClientHello; --ech where it has an encrypted one in it
  --inner 'METHOD PATH'   a request inside a CONNECT tunnel
  --at TIME               when, as RFC 3339 (now)

  --json                  the explanation as JSON; remarks go to standard error

Examples:
  egretctl explain GET http://pypi.org/simple/ --from 10.0.0.5
  egretctl explain --config egress.yaml --user alice --group ci --resolve POST https://pypi.org/simple/
  egretctl explain CONNECT pypi.org:443 --inner 'POST /simple/' --resolved 151.101.0.223
  egretctl explain --config egress.yaml -- curl -X POST -H 'Accept: text/plain' https://pypi.org/simple/
  grep 4f1f2c9d access.log | tail -1 | egretctl explain --config egress.yaml -

Exit status: 0 allowed, 1 denied or not to be told without facts that are named, 2 misused or a configuration that does
not load. Without addresses, 0 says that the rules allow; egret still refuses names that resolve to private addresses.
With --policy the chains are not asked whether they can decrypt what these policies have to see.
)";

int RunExplain(std::span<const std::string> arguments, Output& output);

}  // namespace egret
