// egretctl record.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"

namespace egret {

inline constexpr std::string_view kRecordWords = "make diff sign verify";

inline constexpr Flag kRecordFlags[] = {
    {.name = "--key", .takes = Takes::kFile},
    {.name = "--command"},
    {.name = "--subject", .takes = Takes::kFile, .repeated = true},
};

inline constexpr std::string_view kRecordUsage =
    R"(Usage: egretctl record make LOG [--command NAME] [--subject FILE...]
       egretctl record diff A B
       egretctl record sign RECORD --key PRIVATE.pem
       egretctl record verify RECORD --key PUBLIC.pem

An egress record says what was reached and what was refused: hosts, ports, methods, paths (with {} for what is one of
many), bytes, keys of certificates and rules, as canonical JSON, the same for the same egress: an in-toto statement.
egret run can write one, too.
  make     of an access log (JSON; - is standard input), to standard output
  diff     what B has and A has not, and the other way round, in words; either may be signed
  sign     in an envelope (DSSE) with a signature by that key (Ed25519, ECDSA or RSA, without a passphrase), to standard
           output
  verify   whether it is signed by that key; the statement to standard output
  --command NAME  what was run
  --subject FILE  what the record is about, by name and SHA-256; once for each file
Exit status: 0 done, nothing differs; 1 not verified, or a file is none; 2 wrong usage; 4 something differs.
)";

int RunRecord(std::span<const std::string> arguments, Output& output);

}  // namespace egret
