#include "source/ctl/replay.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/base/json.h"
#include "source/base/strings.h"
#include "source/config/bootstrap_file.h"
#include "source/config/compile_policies.h"
#include "source/config/default_config.h"
#include "source/config/error.h"
#include "source/config/file.h"
#include "source/config/policy_spec.h"
#include "source/config/validate.h"
#include "source/ctl/candidate_folder.h"
#include "source/ctl/changes.h"
#include "source/ctl/listener_policies.h"
#include "source/ctl/logged.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using Errors = std::vector<ConfigError>;

constexpr size_t kMostLog = size_t{1} << 30;

// Paths in the whole, by those in the folder's resources: "policies[3]" -> "policies[0]".
using Paths = std::map<std::string, std::string>;

template <class List>
void Replace(std::string_view list, const List& candidates, List& in, Paths& paths) {
  for (int i = 0; i < candidates.size(); ++i) {
    auto at = std::find_if(in.begin(), in.end(), [&](const auto& one) { return one.name() == candidates[i].name(); });
    if (at == in.end()) {
      in.Add();
      at = in.end() - 1;
    }
    *at = candidates[i];
    paths[Below(list, static_cast<size_t>(at - in.begin()))] = Below(list, static_cast<size_t>(i));
  }
}

// An error of the whole, told of the folder's file where it is about one.
ConfigError Placed(const CandidateFolder& folder, const Paths& paths, ConfigError error) {
  const size_t end = error.field.find(']');
  const auto path = end == std::string::npos ? paths.end() : paths.find(error.field.substr(0, end + 1));
  if (path == paths.end()) return error;
  error.field.replace(0, end + 1, path->second);
  return folder.Place(std::move(error));
}

struct Candidate {
  Bootstrap bootstrap;
  std::vector<std::string> judges;  // names of policies; empty: whichever the listener names
};

class Replay {
 public:
  // All outlive it.
  Replay(const Candidate& candidate, const Policy& policy) : candidate_(candidate), policy_(policy) {}

  void Take(std::string_view text) {
    const LoggedLine line = ReadLogged(text);
    if (!line.counts) return;
    const auto stack = line.logged && !line.logged->was.verdict.empty() ? StackOf(line.logged->listener) : std::nullopt;
    if (!stack) {
      ++left_out_;
      return;
    }
    ++judged_;
    const Decision is = JudgeAgain(policy_, *stack, line.logged->asked);
    PolicyChange change = line.logged->Row();
    change.live = line.logged->was;
    change.candidate = {Outcome(is), is.policy, is.rule};
    if (change.live.verdict == change.candidate.verdict) return;
    change.stage = is.denied() || line.logged->stage.empty() ? std::string(NameOf(is.stage)) : line.logged->stage;
    const int64_t at = line.logged->asked.now.value_or(0);
    table_.Add(std::move(change), {1, at, at});
  }

  bool changes() const { return !table_.rows().empty() || table_.overflow() > 0; }

  std::string Text() const {
    std::string text =
        ChangesSummary(table_.rows(), {.decisions = judged_, .skipped = 0, .overflow = table_.overflow()});
    if (left_out_ > 0) Append(text, left_out_, " lines tell of none\n");
    return text;
  }
  std::string Json() const {
    std::string json;
    JsonWriter out(json);
    out.BeginObject();
    out.Key("decisions");
    out.BeginArray();
    for (const auto& [change, count] : table_.rows()) {
      out.BeginObject();
      WriteChange(change, count, out);
      out.EndObject();
    }
    out.EndArray();
    out.Member("judged", judged_);
    out.Member("left_out", left_out_);
    out.Member("overflow", table_.overflow());
    out.EndObject();
    return json + '\n';
  }

 private:
  static std::string Outcome(const Decision& decision) {
    if (decision.denied()) return decision.reason == "undecided" ? "undecided" : "deny";
    if (decision.verdict == Decision::Verdict::kInspect) return "inspect";  // requests inside have lines of their own
    return decision.can_deny ? "undecided" : "allow";
  }

  std::optional<PolicyStack> StackOf(const std::string& listener) const {
    if (!candidate_.judges.empty()) return PolicyStack(candidate_.judges);
    const auto judges = PoliciesOf(candidate_.bootstrap, listener);
    if (!judges) return std::nullopt;
    return PolicyStack(judges->policies);
  }

  const Candidate& candidate_;
  const Policy& policy_;
  ChangeTable table_;
  uint64_t judged_ = 0, left_out_ = 0;
};

int Refuse(const Errors& errors, Output& output) {
  output.err += ToString(errors);
  return kRefused;
}

// Without --config the built-in one has a listener and what else a configuration needs.
Result<Candidate, Errors> ReadCandidate(const Given& given) {
  const CandidateFolder folder = ReadCandidateFolder(given.Get("--policy"));
  BootstrapFile file = given.Has("--config") ? ReadBootstrap(given.Get("--config"))
                                             : ReadBootstrapText(DefaultConfig(), kDefaultConfigName, Format::kYaml);
  Errors errors = HasErrors(folder.errors) ? folder.errors : file.errors;
  if (!HasErrors(errors)) {
    Paths paths;
    Replace("policies", folder.resources.policies(), *file.bootstrap.mutable_policies(), paths);
    Replace("domain_sets", folder.resources.domain_sets(), *file.bootstrap.mutable_domain_sets(), paths);
    errors = Validate(file.bootstrap);
    for (ConfigError& error : errors) error = Placed(folder, paths, std::move(error));
  }
  if (HasErrors(errors)) return errors;
  if (folder.resources.policies().empty())
    return Errors{{.file = given.Get("--policy"), .why = "holds no policy", .remedy = "name a folder that does"}};
  Candidate candidate{std::move(file.bootstrap), {}};
  if (!given.Has("--config"))
    for (const auto& policy : folder.resources.policies()) candidate.judges.push_back(policy.name());
  return candidate;
}

}  // namespace

int RunReplay(std::span<const std::string> arguments, Output& output) {
  const auto given = ParseArguments(kReplayFlags, arguments);
  if (!given) return Misuse("replay", given.error().text, output);
  if (given->words().size() != 1) return Misuse("replay", "which log? give one LOG, or -", output);
  if (!given->Has("--policy")) return Misuse("replay", "by which policies? give --policy DIR", output);
  const auto candidate = ReadCandidate(*given);
  if (!candidate) return Refuse(candidate.error(), output);
  const auto policy = CompilePolicies(candidate->bootstrap, OwnEndpoints(candidate->bootstrap));
  if (!policy) return Refuse(policy.error(), output);

  const std::string& path = given->words().front();
  const auto log = ReadWholeFile(path == "-" ? "/dev/stdin" : path, kMostLog, FileKind::kAny);
  if (!log) return Refuse({{.file = path, .why = log.error().why, .remedy = log.error().remedy}}, output);
  Replay replay(*candidate, **policy);
  for (std::string_view rest = *log; !rest.empty();)
    if (const std::string_view line = SplitFirst(rest, '\n'); !line.empty()) replay.Take(line);
  output.out += given->Get("--output") == "json" ? replay.Json() : replay.Text();
  return replay.changes() ? kWouldChange : kDone;
}

}  // namespace egret
