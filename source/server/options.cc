#include "source/server/options.h"

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/strings.h"

namespace egret {
namespace {

template <class Int>
bool ParseInto(std::string_view text, Int& into) {
  const auto number = ParseDecimal<Int>(text);
  if (number) into = *number;
  return number.has_value();
}

// Puts one option's value where it belongs; a text is why it cannot be.
std::string Apply(std::string_view name, std::string_view value, Options& options) {
  if (name == "--config" || name == "-c") {
    options.config = value;
  } else if (name == "--mode") {
    if (value != "serve" && value != "validate") return "takes serve or validate";
    options.mode = value == "serve" ? Options::Mode::kServe : Options::Mode::kValidate;
  } else if (name == "--port") {
    uint16_t port = 0;
    if (!ParseInto(value, port)) return "takes a number from 0 (any free port) to 65535";
    options.port = port;
  } else if (name == "--workers" || name == "--concurrency") {
    uint32_t workers = 0;
    if (!ParseInto(value, workers) || workers == 0 || workers > 1024) return "takes a number from 1 to 1024";
    options.workers = workers;
  } else if (name == "--node-id" || name == "--service-node") {
    if (value.empty() || value.size() > 256) return "takes a name of 1 to 256 bytes";
    options.node_id = value;
  } else if (name == "--parent") {
    options.parent = value;
  } else if (name == "--parent-credentials") {
    options.parent_credentials = value;
  } else if (name == "--log-level" || name == "-l") {
    const std::optional<LogLevel> level = ParseLogLevel(value);
    if (!level) return "takes debug, info, warning, error or off";
    options.log_level = *level;
  } else if (name == "--ready-file") {
    options.ready_file = value;
  } else if (name == "--drain-time-s") {
    uint32_t seconds = 0;
    if (!ParseInto(value, seconds)) return "takes a whole number of seconds";
    options.drain_ms = uint64_t{1000} * seconds;
  } else if (name == "--core-dumps") {
    if (value != "on" && value != "off") return "takes on or off";
    options.core_dumps = value == "on";
  } else if (name == "--take-over") {
    options.take_over = value;
  } else {
    return "is not an option of egret; see egret --help";
  }
  return value.empty() ? "must not be empty" : "";  // a variable that is not set, and never what was meant
}

}  // namespace

Result<Options, Problem> ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h" || argument == "--version") {
      options.mode = argument == "--version" ? Options::Mode::kVersion : Options::Mode::kHelp;
      return options;
    }
    const size_t equals = argument.starts_with("--") ? argument.find('=') : std::string_view::npos;
    const std::string_view name = argument.substr(0, equals);
    if (!name.starts_with('-')) return Problem{Cat(argument, ": egret takes no such argument; see egret --help")};
    std::string_view value;
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (i + 1 < argc) {
      value = argv[++i];
    } else {
      return Problem{Cat(name, " needs a value; see egret --help")};
    }
    if (const std::string why = Apply(name, value, options); !why.empty()) {
      const bool secret = name == "--parent";  // may hold a password
      return Problem{secret ? Cat(name, ' ', why) : Cat(name, ' ', value, ": ", why)};
    }
  }
  return options;
}

std::string HelpText() {
  return R"(egret: an egress proxy. Clients reach it as an HTTP proxy; a policy decides what may leave.

  egret [--config FILE] [OPTION...]
  egret run [--allow HOST]... COMMAND     a command that reaches nothing else: egret run --help

  --config FILE, -c FILE  YAML, JSON or textproto; without it: a proxy on 127.0.0.1:3128 for the public web
  --mode serve|validate   validate: check the configuration, say all that is wrong with it, and end
  --port N                listen on this port in place of the configured one (0: any free one)
  --node-id NAME          who this proxy is, in place of node.id: where many are started with one file
  --parent URL            go out through this proxy, http://[user:password@]host:port; user and password are
                          percent-encoded, and everybody on this machine can read them in the list of processes
  --parent-credentials FILE
                          the same as user:password in a file, as it is
  --workers N             threads that carry traffic; default: the CPUs that this process may use
  --log-level LEVEL       what it says of itself: debug, info (default), warning, error, off; see also /logging
  --ready-file FILE       once ready, write the addresses that were bound into FILE, as JSON
  --drain-time-s N        at SIGTERM, how long what is open may take to end; default: drain.timeout, 15
  --take-over PATH        take the listening sockets of the egret that was started with this same option, which then
                          ends in order; a Unix socket, made where there is none
  --core-dumps on|off     off (default): what holds other people's secrets is never dumped, and of its own user's programs
                          no debugger looks into it
  --version, --help

SIGTERM and SIGINT end it in order, a second one at once. SIGUSR1 reopens the access log, SIGHUP reads the
configuration again.
Exit status: 0 ended in order or valid, 1 could not start or invalid, 2 wrong usage.
)";
}

}  // namespace egret
