#include "source/control/options.h"

#include <optional>
#include <string_view>

#include "source/base/ip.h"
#include "source/base/strings.h"

namespace egret {
namespace {

struct TextOption {
  std::string_view name;
  std::string ControlOptions::* field;
};
constexpr TextOption kTexts[] = {
    {"--resources", &ControlOptions::resources},   {"--bootstraps", &ControlOptions::bootstraps},
    {"--listen", &ControlOptions::listen},         {"--tls-cert", &ControlOptions::tls_certificate},
    {"--tls-key", &ControlOptions::tls_key},       {"--client-ca", &ControlOptions::client_ca},
    {"--admin", &ControlOptions::admin},           {"--control", &ControlOptions::control},
    {"--identifier", &ControlOptions::identifier}, {"--ready-file", &ControlOptions::ready_file},
    {"--rollouts", &ControlOptions::rollouts},
};

// Puts one option's value where it belongs; a text is why it cannot be.
std::string Apply(std::string_view name, std::string_view value, ControlOptions& options) {
  for (const TextOption& option : kTexts) {
    if (option.name != name) continue;
    options.*option.field = value;
    return value.empty() ? "must not be empty" : "";
  }
  if (name == "--mode") {
    if (value != "serve" && value != "validate") return "takes serve or validate";
    options.mode = value == "serve" ? ControlOptions::Mode::kServe : ControlOptions::Mode::kValidate;
    return {};
  }
  if (name == "--viewers" || name == "--operators") {
    auto& names = name == "--viewers" ? options.viewers : options.operators;
    while (!value.empty()) names.emplace_back(SplitFirst(value, ','));
    return {};
  }
  if (name == "--log-level" || name == "-l") {
    const std::optional<LogLevel> level = ParseLogLevel(value);
    if (!level) return "takes debug, info, warning, error or off";
    options.log_level = *level;
    return {};
  }
  return "is not an option of egret-control; see egret-control --help";
}

bool IsLoopback(const IpAddress& address) {
  return address.v4() ? address.v4_bits() >> 24 == 127 : address == *IpAddress::Parse("::1");
}

// What may be read on the way, or asked for by whoever wants to.
std::string CheckTransport(const ControlOptions& options) {
  const bool tls = !options.tls_certificate.empty();
  if (tls != !options.tls_key.empty()) return "--tls-cert and --tls-key go together";
  if (!tls && !options.client_ca.empty()) return "--client-ca needs --tls-cert and --tls-key";
  const auto address = Endpoint::Parse(options.listen);
  if (!address) return Cat("--listen ", options.listen, ": takes an address and a port: 127.0.0.1:18000");
  if (!tls && !options.in_clear && !IsLoopback(address->address))
    return Cat("--listen ", options.listen,
               ": without TLS anybody on the way can change what proxies do; give --tls-cert and --tls-key, or "
               "--in-clear where that is meant");
  return {};
}

std::string CheckControl(const ControlOptions& options) {
  constexpr size_t kLongestPath = 107;  // of a socket (unix(7))
  if (options.control.size() > std::string_view("unix:").size() + kLongestPath && options.control.starts_with("unix:"))
    return Cat("--control ", options.control, ": a socket's path has at most ", kLongestPath, " bytes");
  if (options.control.empty() || options.control.starts_with("unix:/")) return {};
  if (!Endpoint::Parse(options.control))
    return Cat("--control ", options.control, ": takes unix:/PATH, or an address and a port");
  if (options.client_ca.empty() || (options.viewers.empty() && options.operators.empty()))
    return Cat("--control ", options.control,
               ": not on a Unix socket, it needs --client-ca, and --viewers or --operators for who may ask");
  return {};
}

std::string Check(const ControlOptions& options) {
  if (options.resources.empty()) return "--resources DIR is needed; see egret-control --help";
  if (options.mode == ControlOptions::Mode::kValidate) return {};
  if (options.listen.empty()) return "--listen ADDRESS:PORT is needed; see egret-control --help";
  std::string why = CheckTransport(options);
  return why.empty() ? CheckControl(options) : why;
}

}  // namespace

Result<ControlOptions, Problem> ParseControlOptions(int argc, const char* const* argv) {
  ControlOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h" || argument == "--version") {
      options.mode = argument == "--version" ? ControlOptions::Mode::kVersion : ControlOptions::Mode::kHelp;
      return options;
    }
    if (argument == "--in-clear") {
      options.in_clear = true;
      continue;
    }
    const size_t equals = argument.starts_with("--") ? argument.find('=') : std::string_view::npos;
    const std::string_view name = argument.substr(0, equals);
    if (!name.starts_with('-'))
      return Problem{Cat(argument, ": egret-control takes no such argument; see egret-control --help")};
    std::string_view value;
    if (equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
    } else if (i + 1 < argc) {
      value = argv[++i];
    } else {
      return Problem{Cat(name, " needs a value; see egret-control --help")};
    }
    if (const std::string why = Apply(name, value, options); !why.empty())
      return Problem{Cat(name, ' ', value, ": ", why)};
  }
  if (std::string why = Check(options); !why.empty()) return Problem{std::move(why)};
  return options;
}

std::string ControlHelp() {
  return R"(egret-control: gives proxies their configuration (xDS), from a folder of files.

  egret-control --resources DIR --listen ADDRESS:PORT [OPTION...]

  --resources DIR         DIR/GROUP/*.yaml is what proxies whose node.cluster is GROUP are sent, and DIR/common/*.yaml
                          all of them; files of listeners, policies and so on, as in a proxy's own directory. They are
                          looked at once a second; a group's change counts only if all of it is valid
  --rollouts DIR          where it is kept how far a group's next release (DIR/GROUP/next/*.yaml of --resources) may go;
                          replicas share it. Default: nowhere, and nobody is given a next release
  --bootstraps DIR        DIR/GROUP.yaml is what the proxies of GROUP start with; names in it are known then
  --listen ADDRESS:PORT   where proxies ask (port 0: any free one)
  --tls-cert FILE, --tls-key FILE
                          PEM; TLS to proxies. Without, only on a loopback address
  --client-ca FILE        PEM; proxies show a certificate of one of these authorities, with a name that says who they
                          are: the URI spiffe://DOMAIN/GROUP/ID or the DNS name ID.GROUP, or *.GROUP for all of a
                          group that share a certificate. Only then are secrets sent
  --in-clear              proxies may ask without TLS from other machines
  --admin ADDRESS:PORT    where /ready, /live and /metrics are; default: nowhere
  --control WHERE         where egretctl asks: unix:/PATH, or an address and a port, which need --client-ca and
                          --viewers or --operators; default: nowhere
  --viewers NAME,...      names (SAN) of certificates that may ask there
  --operators NAME,...    names of those that may also command: roll-outs, drain. On a Unix socket, whoever reaches it
  --identifier NAME       what it calls itself to proxies; default: egret-control
  --mode serve|validate   validate: check the folder, say all that is wrong with it, and end
  --ready-file FILE       once ready, write the addresses that were bound into FILE, as JSON
  --log-level LEVEL       debug, info (default), warning, error, off
  --version, --help

SIGTERM and SIGINT end it; proxies go on with what they have.
Exit status: 0 ended in order or valid, 1 could not start or invalid, 2 wrong usage.
)";
}

}  // namespace egret
