#include "source/ctl/explain_options.h"

#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/nearest.h"

namespace egret {
namespace {

using Options = ExplainOptions;

// One of the three says where its value goes.
struct Option {
  std::string_view name;
  bool Options::* flag = nullptr;
  std::optional<std::string> Options::* once = nullptr;
  std::vector<std::string> Options::* repeated = nullptr;
};

constexpr Option kOptions[] = {
    {.name = "--config", .once = &Options::config},
    {.name = "--policy", .once = &Options::policy},
    {.name = "--listener", .once = &Options::listener},
    {.name = "--json", .flag = &Options::json},
    {.name = "--resolve", .flag = &Options::resolve},
    {.name = "--resolved", .repeated = &Options::resolved},
    {.name = "--from", .once = &Options::from},
    {.name = "--user", .once = &Options::user},
    {.name = "--group", .repeated = &Options::groups},
    {.name = "--spiffe-id", .once = &Options::spiffe_id},
    {.name = "--namespace", .once = &Options::kube_namespace},
    {.name = "--service-account", .once = &Options::service_account},
    {.name = "--claim", .repeated = &Options::claims},
    {.name = "--assurance", .once = &Options::assurance},
    {.name = "--header", .repeated = &Options::headers},
    {.name = "--sni", .once = &Options::sni},
    {.name = "--ja3", .once = &Options::ja3},
    {.name = "--ja4", .once = &Options::ja4},
    {.name = "--ech", .flag = &Options::ech},
    {.name = "--protocol", .once = &Options::protocol},
    {.name = "--inner", .once = &Options::inner},
    {.name = "--at", .once = &Options::at},
};

Problem Unknown(std::string_view name) {
  std::vector<std::string> names;
  for (const Option& option : kOptions) names.emplace_back(option.name);
  const std::string nearest = NearestWord(name, names);
  return {Cat("no option ", name, nearest.empty() ? "" : Cat("; did you mean ", nearest, "?"))};
}

std::optional<Problem> Set(const Option& option, std::string_view value, Options& options) {
  if (option.repeated != nullptr) {
    (options.*option.repeated).emplace_back(value);
  } else if (std::optional<std::string>& once = options.*option.once; once) {
    return Problem{Cat(option.name, " is given twice; keep one")};
  } else {
    once = value;
  }
  return std::nullopt;
}

// One option, and its value in the same argument or the next.
std::optional<Problem> TakeOption(std::span<const std::string> arguments, size_t& i, Options& options) {
  const std::string_view argument = arguments[i];
  const size_t equals = argument.find('=');
  const std::string_view name = argument.substr(0, equals);
  const auto* option =
      std::find_if(std::begin(kOptions), std::end(kOptions), [&](const Option& o) { return o.name == name; });
  if (option == std::end(kOptions)) return Unknown(name);
  if (option->flag != nullptr) {
    if (equals != std::string_view::npos) return Problem{Cat(argument, ": ", name, " takes no value")};
    options.*option->flag = true;
    return std::nullopt;
  }
  if (equals != std::string_view::npos) return Set(*option, argument.substr(equals + 1), options);
  if (i + 1 == arguments.size()) return Problem{Cat("nothing after ", name)};
  return Set(*option, arguments[++i], options);
}

Problem Unfit(std::string_view option, std::string_view value, std::string_view what) {
  return {Cat(option, " ", value, ": ", what)};
}

std::optional<Problem> AddAssurance(const std::string& text, Identity& identity) {
  constexpr std::pair<std::string_view, Assurance> kNames[] = {
      {"SOURCE_ADDRESS", Assurance::kSourceAddress},
      {"TOKEN", Assurance::kToken},
      {"CERTIFICATE", Assurance::kCertificate},
  };
  for (const auto& [name, assurance] : kNames) {
    if (!EqualsIgnoreCase(name, text)) continue;
    identity.assurance = assurance;
    return std::nullopt;
  }
  return Unfit("--assurance", text, "no such value; write SOURCE_ADDRESS, TOKEN or CERTIFICATE");
}

void AddClaim(std::string_view name, std::string_view value, Identity& identity) {
  for (Identity::Claim& claim : identity.claims)
    if (claim.name == name) return claim.values.emplace_back(value), void();
  identity.claims.push_back({std::string(name), {std::string(value)}});
}

std::optional<Problem> AddIdentity(const Options& options, Asked& asked) {
  if (!options.user && options.groups.empty() && !options.spiffe_id && !options.kube_namespace &&
      !options.service_account && options.claims.empty() && !options.assurance)
    return std::nullopt;
  if (!asked.identity) asked.identity.emplace();
  Identity& identity = *asked.identity;
  if (options.user) identity.user = *options.user;
  if (options.spiffe_id) identity.spiffe_id = *options.spiffe_id;
  if (options.kube_namespace) identity.namespace_ = *options.kube_namespace;
  if (options.service_account) identity.service_account = *options.service_account;
  if (!options.groups.empty()) identity.groups = options.groups;
  for (std::string_view value : options.claims) {
    const std::string_view whole = value;
    const std::string_view name = SplitFirst(value, '=');
    if (name.empty() || name.size() == whole.size())
      return Unfit("--claim", whole, "not a claim; write --claim NAME=VALUE");
    AddClaim(name, value, identity);
  }
  identity.assurance = options.spiffe_id ? Assurance::kCertificate : Assurance::kToken;
  return options.assurance ? AddAssurance(*options.assurance, identity) : std::nullopt;
}

std::optional<Problem> AddAddresses(const Options& options, Asked& asked) {
  if (options.from) {
    asked.source = IpAddress::Parse(*options.from);
    if (!asked.source) return Unfit("--from", *options.from, "not an address; write --from 10.0.0.5");
  }
  if (!options.resolved.empty() && options.resolve)
    return Problem{"--resolved and --resolve both say what the name resolves to; keep one"};
  if (!options.resolved.empty() || options.resolve) asked.resolved.clear();
  for (const std::string& text : options.resolved) {
    const auto address = IpAddress::Parse(text);
    if (!address) return Unfit("--resolved", text, "not an address; write --resolved 192.0.2.1");
    asked.resolved.push_back(*address);
  }
  return std::nullopt;
}

std::optional<Problem> AddTunnel(const Options& options, Asked& asked) {
  if (options.inner)
    if (auto problem = AskInside(*options.inner, asked)) return problem;
  if (asked.ask == Ask::kRequest && (options.protocol || options.sni || options.ja3 || options.ja4 || options.ech))
    return Problem{
        "--protocol, --sni, --ja3, --ja4 and --ech are facts of a tunnel; ask CONNECT HOST:PORT or an https "
        "URL"};
  if (options.sni) asked.sni = *options.sni;
  if (options.ja3) asked.ja3 = *options.ja3;
  if (options.ja4) asked.ja4 = *options.ja4;
  if (options.ech) asked.ech = true;
  if (!options.protocol) return std::nullopt;
  asked.protocol = ParseProtocol(*options.protocol);
  if (!asked.protocol) return Unfit("--protocol", *options.protocol, "no such protocol; write TLS, HTTP or OTHER");
  return std::nullopt;
}

std::optional<Problem> AddHeadersAndTime(const Options& options, Asked& asked) {
  for (const std::string& line : options.headers) {
    auto header = ParseHeaderLine(line);
    if (!header) return Unfit("--header", line, "not a header; write --header 'Name: value'");
    asked.headers.push_back(*std::move(header));
    asked.headers_known = true;
  }
  google::protobuf::Timestamp time;
  if (!options.at) return std::nullopt;
  if (!google::protobuf::util::TimeUtil::FromString(*options.at, &time))
    return Unfit("--at", *options.at, "not a time; write it as RFC 3339, e.g. 2027-01-31T12:00:00Z");
  asked.now = time.seconds();
  return std::nullopt;
}

}  // namespace

Result<Options, Problem> ParseExplainOptions(std::span<const std::string> arguments) {
  Options options;
  bool only_words = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (only_words || !argument.starts_with('-') || argument == "-") {
      options.request.push_back(argument);
      only_words = only_words || options.request.front() == "curl";
    } else if (argument == "--") {
      only_words = true;
    } else if (auto problem = TakeOption(arguments, i, options)) {
      return *std::move(problem);
    }
  }
  if (options.policy && options.listener)
    return Problem{"--policy and --listener both say which policies judge; keep one"};
  return options;
}

std::optional<Problem> AddFacts(const Options& options, Asked& asked) {
  for (auto* add : {AddAddresses, AddIdentity, AddTunnel, AddHeadersAndTime})
    if (auto problem = add(options, asked)) return problem;
  return std::nullopt;
}

}  // namespace egret
