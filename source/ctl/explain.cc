#include "source/ctl/explain.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "source/base/result.h"
#include "source/base/strings.h"
#include "source/config/bootstrap_file.h"
#include "source/config/compile_policies.h"
#include "source/config/default_config.h"
#include "source/config/error.h"
#include "source/config/file.h"
#include "source/config/nearest.h"
#include "source/config/policy_spec.h"
#include "source/config/validate.h"
#include "source/ctl/curl.h"
#include "source/ctl/explain_options.h"
#include "source/ctl/listener_policies.h"
#include "source/ctl/log_line.h"
#include "source/ctl/question.h"
#include "source/policy/explain.h"

namespace egret {
namespace {

constexpr std::string_view kForms = "ask METHOD URL, CONNECT HOST:PORT, curl ..., or a line of the access log";

Result<Asked, Problem> ReadLogLine() {
  const auto text = ReadWholeFile("/dev/stdin", size_t{1} << 20, FileKind::kAny);
  if (!text.ok()) return Problem{Cat("standard input ", text.error().why)};
  std::string_view rest = *text;
  const std::string_view line = SplitFirst(rest, '\n');
  if (line.empty()) return Problem{"standard input has no log line; give one"};
  if (!rest.empty()) return Problem{"standard input has more than one line; ask about one at a time"};
  return AskAsLogged(line);
}

// The request, in whichever form it came.
Result<Asked, Problem> AskedOf(const std::vector<std::string>& words) {
  if (words.empty()) return Problem{Cat("no request; ", kForms)};
  if (words[0] == "curl") return AskAsCurl(std::span(words).subspan(1));
  if (words.size() == 1) {
    if (words[0] == "-") return ReadLogLine();
    if (words[0].starts_with('{')) return AskAsLogged(words[0]);
    if (words[0].find("://") != std::string::npos) return AskFor("GET", words[0]);
    return Problem{Cat(words[0], ": not a request; ", kForms)};
  }
  if (words.size() > 2) return Problem{Cat(words[2], ": one word too many; ", kForms)};
  return AskFor(words[0], words[1]);
}

struct Judging {
  BootstrapFile file;
  bool policies_alone = false;  // it had no listener: all of its policies judge, as in egret run
};

Judging ReadConfig(const ExplainOptions& options) {
  Judging read;
  if (!options.config) {
    read.file = ReadBootstrapText(DefaultConfig(), kDefaultConfigName, Format::kYaml);
    return read;
  }
  auto& [bootstrap, errors] = read.file;
  LoadResult loaded = LoadFile(*options.config, bootstrap);
  const bool pushed = bootstrap.has_xds() || bootstrap.has_directory();
  read.policies_alone = !pushed && bootstrap.listeners().empty() && !bootstrap.policies().empty();
  if (!loaded.ok())
    errors = std::move(loaded.errors);
  else if (pushed || read.policies_alone)
    errors = ValidateOpen(bootstrap, loaded.locations);
  else
    errors = Validate(bootstrap, loaded.locations);
  if (read.policies_alone)
    std::erase_if(errors, [](const ConfigError& error) { return error.field == "listeners"; });  // there need be none
  return read;
}

std::string AllPolicies(const config::v1::Bootstrap& bootstrap) {
  std::string list;
  for (const auto& policy : bootstrap.policies()) Append(list, list.empty() ? "" : ",", policy.name());
  return list;
}

Result<ListenerPolicies, Problem> Named(const config::v1::Bootstrap& bootstrap, std::string_view list) {
  std::vector<std::string> known;
  for (const auto& policy : bootstrap.policies()) known.push_back(policy.name());
  ListenerPolicies out;
  out.asks_who = true;  // whoever uses them
  while (!list.empty()) {
    const std::string name(SplitFirst(list, ','));
    if (std::find(known.begin(), known.end(), name) == known.end())
      return Problem{Cat("--policy ", name, ": no such policy; ", Suggest(name, known))};
    out.policies.push_back(name);
  }
  if (out.policies.empty()) return Problem{"--policy names none; write --policy NAME"};
  return out;
}

// What only the chain tells about who asks.
void AssumeIdentity(const ListenerPolicies& judges, Asked& asked) {
  if (!asked.identity && !judges.asks_who) asked.nobody = true;
  if (asked.identity && !judges.asks_who)
    asked.assumed.emplace_back(Cat("listener ", judges.listener, " finds out who asks, though it has no proxy_auth"));
  if (!asked.identity && judges.demands_credential)
    asked.assumed.emplace_back("a credential that proxy_auth takes (--user)");
}

// Blocks. Empty where it does not resolve; `why` then says why.
std::vector<IpAddress> AskSystem(const std::string& name, std::string& why) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(name.c_str(), nullptr, &hints, &list); error != 0) {
    why = gai_strerror(error);
    return {};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, freeaddrinfo);
  std::vector<IpAddress> out;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    sockaddr_storage address{};
    const auto* bytes = reinterpret_cast<const char*>(entry->ai_addr);
    std::copy_n(bytes, std::min<size_t>(entry->ai_addrlen, sizeof address), reinterpret_cast<char*>(&address));
    const IpAddress found = Endpoint::From(address).address;
    if (std::find(out.begin(), out.end(), found) == out.end()) out.push_back(found);
  }
  return out;
}

void Resolve(Asked& asked, Output& output) {
  const std::string name = asked.target.literal ? asked.sni.value_or("") : asked.target.host;
  if (name.empty()) return;
  std::string why;
  asked.resolved = AskSystem(name, why);
  if (asked.resolved.empty())
    Append(output.err, name, " does not resolve here: ", why, "; --resolved ADDRESS gives an address\n");
}

enum class Verdict : uint8_t { kAllowed, kDenied, kOpen };

// The policies want to see inside TLS, and the chains cannot: refused with no_chain.
bool CannotLookInside(const Explanation& explanation, const ListenerPolicies& judges, const Asked& asked) {
  if (judges.listener.empty() || judges.decrypts || asked.protocol != Protocol::kTls) return false;
  return std::any_of(explanation.stages.begin(), explanation.stages.end(),
                     [](const StageReport& stage) { return stage.decision.verdict == Decision::Verdict::kInspect; });
}

Verdict VerdictOf(const Explanation& explanation) {
  const Decision& last = explanation.stages.back().decision;
  if (last.denied() && last.reason != "undecided") return Verdict::kDenied;
  return last.denied() || last.can_deny ? Verdict::kOpen : Verdict::kAllowed;
}

// How the missing facts can be given.
std::string Hints(const Explanation& explanation, const Asked& asked, Verdict verdict) {
  std::vector<std::string> missing = explanation.missing;
  if (verdict == Verdict::kOpen)
    for (const RuleReport& rule : explanation.stages.back().rules)
      if (rule.match == Match::kUnknown) missing.insert(missing.end(), rule.why.begin(), rule.why.end());
  const auto lacks = [&](std::string_view fact) {
    return std::any_of(missing.begin(), missing.end(), [&](const std::string& name) { return name.starts_with(fact); });
  };
  const bool lacks_identity = std::any_of(missing.begin(), missing.end(), [](const std::string& name) {
    return name.starts_with("from.") && !name.starts_with("from.ja");
  });
  std::string out;
  if (verdict == Verdict::kDenied) return out;
  if (lacks("resolved"))
    Append(out, "  --resolved ADDRESS says what ", asked.target.host,
           " resolves to; --resolve asks this host's resolver\n");
  if (lacks("request") && verdict == Verdict::kOpen)
    out += "  --inner 'METHOD PATH' says what is asked inside the tunnel\n";
  if (lacks("http.headers")) out += "  --header 'NAME: VALUE' gives the header fields\n";
  if (lacks("from.ja")) out += "  --ja3 and --ja4 give the fingerprint of the client's TLS, as its log line tells it\n";
  if (lacks_identity) out += "  --user NAME and --group NAME say who asks\n";
  return out;
}

std::string Preface(const ListenerPolicies& judges, const Asked& asked) {
  std::string out = "policies: ";
  for (size_t i = 0; i < judges.policies.size(); ++i) Append(out, i == 0 ? "" : ", ", judges.policies[i]);
  if (!judges.listener.empty()) Append(out, " (listener ", judges.listener, ")");
  out += '\n';
  for (size_t i = 0; i < asked.assumed.size(); ++i) Append(out, i == 0 ? "assumed: " : ", ", asked.assumed[i]);
  return asked.assumed.empty() ? out : out + '\n';
}

std::string_view Closing(Verdict verdict, const Explanation& explanation) {
  if (verdict == Verdict::kDenied) return "denied\n";
  if (verdict == Verdict::kOpen) return "undecided without these facts\n";
  return explanation.missing.empty() ? "allowed\n" : "allowed, as far as is known\n";
}

int Tell(const Explanation& explanation, const ListenerPolicies& judges, const Asked& asked, bool json,
         Output& output) {
  std::string& remarks = json ? output.err : output.out;
  remarks += Preface(judges, asked);
  output.out += json ? ToJson(explanation) + '\n' : ToText(explanation);
  Verdict verdict = VerdictOf(explanation);
  if (verdict != Verdict::kDenied && CannotLookInside(explanation, judges, asked)) {
    verdict = Verdict::kDenied;
    Append(remarks, "no_chain: the policies have to see inside TLS, and no chain of this configuration decrypts it\n",
           "would help: allowing ", asked.target.host, " without http conditions and inspection: REQUIRED\n");
  }
  remarks += Hints(explanation, asked, verdict);
  remarks += Closing(verdict, explanation);
  return verdict == Verdict::kAllowed ? kDone : kRefused;
}

}  // namespace

int RunExplain(std::span<const std::string> arguments, Output& output) {
  const auto misuse = [&](const Problem& problem) { return Misuse("explain", problem.text, output); };
  const Result<ExplainOptions, Problem> options = ParseExplainOptions(arguments);
  if (!options) return misuse(options.error());
  Result<Asked, Problem> asked = AskedOf(options->request);
  if (!asked) return misuse(asked.error());
  if (const auto problem = AddFacts(*options, *asked)) return misuse(*problem);

  const auto [file, policies_alone] = ReadConfig(*options);
  if (!file.ok()) {
    output.err += ToString(file.errors);
    return kMisused;
  }
  const bool all = policies_alone && !options->listener;
  const auto judges = options->policy ? Named(file.bootstrap, *options->policy)
                      : all           ? Named(file.bootstrap, AllPolicies(file.bootstrap))
                                      : PoliciesOf(file.bootstrap, options->listener.value_or(""));
  if (!judges) return misuse(judges.error());
  const auto policy = CompilePolicies(file.bootstrap, OwnEndpoints(file.bootstrap));
  if (!policy) {
    output.err += ToString(policy.error());
    return kMisused;
  }

  if (options->resolve) Resolve(*asked, output);
  AssumeIdentity(*judges, *asked);
  Assume(*asked);
  std::vector<Field> fields;
  const Explanation explanation = Explain(**policy, PolicyStack(judges->policies), AsQuestion(*asked, fields));
  return Tell(explanation, *judges, *asked, options->json, output);
}

}  // namespace egret
