// egretctl ca.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "source/ctl/command.h"
#include "source/ctl/flags.h"

namespace egret {

inline constexpr Flag kCaFlags[] = {
    {.name = "--name"},
    {.name = "--days"},
    {.name = "--root", .takes = Takes::kFolder},
    {.name = "--permit", .repeated = true},
};

inline constexpr std::string_view kCaUsage =
    "Usage: egretctl ca init DIR [--name NAME] [--days N]\n"
    "       egretctl ca intermediate DIR --root ROOT_DIR [--name NAME] [--days N] [--permit WHAT]...\n"
    "\n"
    "init makes a root: DIR/ca.crt, which clients have to believe, and DIR/ca.key, which belongs offline. Good for 10\n"
    "years; one CA may stand below it.\n"
    "\n"
    "intermediate makes the CA that a proxy mints with: DIR/tls.crt (it, then the root) and DIR/tls.key. Good for 30\n"
    "days. --permit: a domain, which stands for all below it too, or an address range; may be given again. What is "
    "not\n"
    "permitted no client believes, whoever gets hold of the key. In the proxy's configuration:\n"
    "  secrets: [{name: ca, certificate_authority: {certificate: {file: DIR/tls.crt}, key: {file: DIR/tls.key}}}]\n"
    "\n"
    "Keys are on P-256, and readable by their owner alone. A file that is there already is never overwritten.\n";

int RunCa(std::span<const std::string> arguments, Output& output);

}  // namespace egret
