#include "source/run/options.h"

#include <string_view>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::pair<std::string_view, std::string RunOptions::*> kTexts[] = {
    {"--policy", &RunOptions::policy},
    {"--log", &RunOptions::log},
    {"--learn", &RunOptions::learn},
    {"--report", &RunOptions::report},
    {"--record", &RunOptions::record},
    {"--record-key", &RunOptions::record_key},
    {"--show", &RunOptions::show},
    {"--parent", &RunOptions::parent},
    {"--parent-credentials", &RunOptions::parent_credentials},
};
constexpr std::pair<std::string_view, std::vector<std::string> RunOptions::*> kLists[] = {
    {"--allow", &RunOptions::allow},
    {"--private", &RunOptions::private_ranges},
    {"--record-subject", &RunOptions::record_subjects},
};

// Those without a value.
bool ApplyFlag(std::string_view name, RunOptions& options) {
  if (name == "--no-fence") {
    options.fenced = false;
  } else if (name == "--fail-on-deny") {
    options.fail_on_deny = true;
  } else if (name == "--quiet" || name == "-q") {
    options.quiet = true;
  } else if (name == "--verbose" || name == "-v") {
    options.verbose = true;
  } else if (name == "--help" || name == "-h") {
    options.help = true;
  } else {
    return false;
  }
  return true;
}

// False: there is no such option.
bool ApplyValue(std::string_view name, std::string_view value, RunOptions& options) {
  if (name == "--core-dumps" && (value == "on" || value == "off")) {
    options.core_dumps = value == "on";
    return true;
  }
  for (const auto& [known, where] : kTexts)
    if (name == known) {
      options.*where = value;
      return true;
    }
  for (const auto& [known, where] : kLists)
    if (name == known) {
      (options.*where).emplace_back(value);
      return true;
    }
  return false;
}

}  // namespace

Result<RunOptions, Problem> ParseRunOptions(std::span<char* const> arguments) {
  RunOptions options;
  size_t i = 0;
  for (; i < arguments.size(); ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--") {
      ++i;
      break;
    }
    if (!argument.starts_with('-')) break;
    if (ApplyFlag(argument, options)) continue;
    const size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    std::string_view value;
    if (equals != std::string_view::npos)
      value = argument.substr(equals + 1);
    else if (i + 1 < arguments.size())
      value = arguments[++i];
    if (!ApplyValue(name, value, options))
      return Problem{Cat(argument, " is not an option of egret run; see egret run --help")};
    if (value.empty()) return Problem{Cat(name, " needs a value; see egret run --help")};
  }
  for (; i < arguments.size(); ++i) options.command.emplace_back(arguments[i]);
  if (options.command.empty() && !options.help && options.show.empty())
    return Problem{"no command is given; write: egret run --allow HOST -- COMMAND"};
  if (options.parent.empty() && !options.parent_credentials.empty())
    return Problem{"--parent-credentials: for which proxy? give --parent as well"};
  if (options.record.empty() && !(options.record_key.empty() && options.record_subjects.empty()))
    return Problem{"--record-key and --record-subject are about a record; name its file with --record"};
  return options;
}

std::string RunHelpText() {
  return R"(egret run: runs a command that reaches what you allow, and nothing else.

  egret run [--allow HOST]... | --policy FILE [OPTION...] [--] COMMAND [ARGUMENT...]

The command gets a network of its own with nothing in it but a proxy, and variables that lead programs there. It needs
no root. Without --allow and --policy it reaches nothing.

  --allow HOST     example.com, *.example.com (any name below it), .example.com (both), 192.0.2.1, 192.0.2.0/24,
                   [2001:db8::1], each also with :PORT; without: 80 and 443. May be given several times. Ready policies:
                   @pypi, @npm, @crates, @go, @debian, @github
  --show @NAME     prints that ready policy, a file for --policy, and runs nothing
  --policy FILE    policies and what they use, as in a configuration; a folder as egret-control takes it, without its
                   listeners. All of them decide together. Where one looks into TLS, the command's programs believe a
                   CA that lives as long as the run, in memory
  --parent URL     goes out through this proxy, http://[user:password@]host:port, which resolves the names then; "env": the
                   one that https_proxy, all_proxy or http_proxy names here. --parent-credentials FILE: user:password
  --learn FILE     lets everything public through, and writes the smallest readable policy that would have: for people to
                   read, then for --policy
  --private RANGE  names that are allowed may lead to these private addresses, such as 10.0.0.0/8; with --learn,
                   they may be reached where they are asked for as addresses
  --log FILE       the access log, a line of JSON for each request and tunnel: for egretctl explain, replay and learn
  --report FILE    what was reached and what was refused, as JSON, or as Markdown where FILE ends in .md; where
                   $GITHUB_STEP_SUMMARY names a file, Markdown is appended to it as well
  --record FILE    the egress record: hosts, methods, paths, bytes, keys of certificates and rules as an in-toto statement,
                   the same for the same egress; `egretctl record diff A B` says what is new. --record-key FILE signs it
                   (a private key in PEM), --record-subject FILE names what it is about, such as what was built
  --fail-on-deny   exit status 77 where anything was refused, whatever the command's own
  --no-fence       no network of its own: the variables alone, which a program is free not to look at
  --core-dumps on|off
                   off (default): the proxy, which holds secrets, is never dumped, and no debugger looks into it
  --quiet, -q      does not say at the end what was refused
  --verbose, -v    says what was reached as well
  --help

Exit status: that of the command, 128+N where signal N ended it; 125 where egret run fails itself, 126 where the command
cannot be started, 127 where there is none of that name.
)";
}

}  // namespace egret
