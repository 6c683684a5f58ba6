#include "source/policy/advice.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr size_t kMaxRules = 3;  // of one policy
constexpr size_t kMaxWords = 5;  // of one list

std::string Listed(const Words& words) {
  std::string out;
  for (size_t i = 0; i < words.size() && i < kMaxWords; ++i) Append(out, i == 0 ? "" : ", ", words[i]);
  if (words.size() > kMaxWords) out += ", ...";
  return out;
}

std::string Ports(const CompiledRule& rule) {
  std::string out;
  for (const auto& [first, last] : rule.ports) {
    Append(out, out.empty() ? "" : ", ", first);
    if (last != first) Append(out, '-', last);
  }
  return out;
}

std::string_view NameOf(Protocol protocol) {
  return protocol == Protocol::kTls ? "TLS" : protocol == Protocol::kHttp ? "HTTP" : "OTHER";
}

// What to add to a list of the rule, and what the request would have to be instead.
std::string Add(std::string_view field, std::string_view value, std::string_view instead) {
  std::string out = value.empty() ? Cat(field, " not asked for") : Cat("\"", value, "\" added to ", field);
  if (!instead.empty()) Append(out, " (or ask with ", instead, ')');
  return out;
}

std::string ForIdentity(const CompiledRule& rule, Group group, const Identity* identity) {
  const Identity nobody;
  const Identity& who = identity != nullptr ? *identity : nobody;
  switch (group) {
    case Group::kAssurance:
      return "from.at_least lowered (or ask with a stronger credential)";
    case Group::kUsers:
      return Add("from.users", who.user, Cat("user ", Listed(rule.users)));
    case Group::kGroups:
      return Add("from.groups", who.groups.empty() ? std::string() : who.groups.front(),
                 Cat("group ", Listed(rule.identity_groups)));
    case Group::kSpiffeIds:
      return Add("from.spiffe_ids", who.spiffe_id, "");
    case Group::kNamespaces:
      return Add("from.namespaces", who.namespace_, Cat("namespace ", Listed(rule.namespaces)));
    case Group::kServiceAccounts:
      return Add("from.service_accounts", who.service_account, Cat("account ", Listed(rule.service_accounts)));
    default:
      return "from.claims widened";
  }
}

std::string ForPath(const FactView& view) {
  if (view->path.known() && view.AmbiguousPath())
    return "the request's path written without dot segments, empty segments and odd escapes (it can be read in two "
           "ways)";
  return Add("http.paths", view->path.known() ? view->path.value() : "", "");
}

// What would make one false condition true.
std::string Change(const CompiledRule& rule, Group group, const FactView& view) {
  const Target& target = view.target();
  switch (group) {
    case Group::kTime:
      return "not_before and not_after widened";
    case Group::kHost:
      return target.literal ? Add("to.cidrs", target.host, "") : Add("to.domains", target.host, "");
    case Group::kPort:
      return Add("to.ports", Cat(target.port), Cat("port ", Ports(rule)));
    case Group::kProtocol:
      return Add("to.protocols", view->protocol.known() ? NameOf(view->protocol.value()) : "", "");
    case Group::kSources:
      return Add("from.cidrs", view->source.ToString(), "");
    case Group::kJa3:
      return Add("from.ja3", view->ja3.known() ? view->ja3.value() : "", "");
    case Group::kJa4:
      return Add("from.ja4", view->ja4.known() ? view->ja4.value() : "", "");
    case Group::kMethod:
      return Add("http.methods", view->method.known() ? view->method.value() : "", Listed(rule.methods));
    case Group::kResolved:
      return "to.resolved_cidrs widened";
    case Group::kHeaders:
      return "http.headers widened";
    case Group::kPath:
      return ForPath(view);
    default:
      return ForIdentity(rule, group, view->identity.known() ? view->identity.value() : nullptr);
  }
}

struct Candidate {
  const CompiledRule* rule;
  std::vector<Group> wrong;
};

std::vector<Group> FalseGroups(const CompiledRule& rule, const FactView& view, bool host_matches) {
  std::vector<Group> out;
  for (uint32_t left = rule.groups; left != 0; left &= left - 1) {
    const auto group = static_cast<Group>(__builtin_ctz(left));
    if (JudgeGroup(rule, group, view, host_matches) == Match::kFalse) out.push_back(group);
  }
  return out;
}

std::string Sentence(const CompiledPolicy& policy, const Candidate& candidate, const FactView& view) {
  std::string out = Cat("rule ", candidate.rule->name, " of policy ", policy.name, " would allow it with ");
  for (size_t i = 0; i < candidate.wrong.size(); ++i)
    Append(out, i == 0 ? "" : ", and ", Change(*candidate.rule, candidate.wrong[i], view));
  return out;
}

// A policy that only denies: its closing decider comes first, so only the rules above it count.
void AdvisePolicy(const CompiledPolicy& policy, const std::vector<bool>& hosts, const FactView& view,
                  std::vector<std::string>& out) {
  std::vector<Candidate> candidates;
  const CompiledRule* closing = nullptr;
  for (size_t i = 0; i < policy.rules.size() && closing == nullptr; ++i) {
    const CompiledRule& rule = policy.rules[i];
    if (rule.audit) continue;
    auto wrong = FalseGroups(rule, view, hosts[i]);
    uint32_t missing = 0;
    if (JudgeRule(rule, view, hosts[i], missing) == Match::kTrue)
      closing = &rule;
    else if (rule.allows && !wrong.empty())
      candidates.push_back({&rule, std::move(wrong)});
  }
  if (closing != nullptr)
    out.push_back(Cat("rule ", closing->name, " of policy ", policy.name, " would have to be narrowed or removed"));
  // First those that mean this host, then the fewest changes; of as many, in the order of the rules.
  const auto rank = [](const Candidate& candidate) {
    const bool other_host =
        std::find(candidate.wrong.begin(), candidate.wrong.end(), Group::kHost) != candidate.wrong.end();
    return std::tuple(other_host, candidate.wrong.size(), candidate.rule);
  };
  std::sort(candidates.begin(), candidates.end(),
            [&](const Candidate& x, const Candidate& y) { return rank(x) < rank(y); });
  if (candidates.size() > kMaxRules) candidates.resize(kMaxRules);
  for (const Candidate& candidate : candidates) out.push_back(Sentence(policy, candidate, view));
  if (closing == nullptr && candidates.empty() && !policy.abstains)
    out.push_back(Cat("policy ", policy.name, " has no ALLOW rule; it needs one for ", view.target().ToString()));
}

std::string ForHello(const FactView& view) {
  if (view.target().literal) return "a ClientHello without a server name, since the tunnel is to an address";
  return Cat("a ClientHello whose server name is ", view.target().host);
}

std::vector<std::string> AdviseRules(const Program& program, const PolicyStack& stack, const FactView& view) {
  std::vector<std::string> out;
  for (const std::string& name : stack.names()) {
    const PolicyStack alone(std::vector<std::string>{name});
    const auto at = program.by_name.find(name);
    if (at == program.by_name.end()) {
      out.push_back(Cat("policy ", name, " does not exist; it must be configured"));
      continue;
    }
    const Evaluation evaluation(program, alone, view);
    const Outcome outcome = evaluation.Run();
    const bool abstains = outcome.denier.effect == Effect::kAbstain;
    if (outcome.can_allow || abstains) continue;
    const size_t first = out.size();
    AdvisePolicy(*at->second, evaluation.HostMatches(*at->second), view, out);
    // Every policy that denies has to change.
    for (size_t i = first; first > 0 && i < out.size(); ++i) out[i].insert(0, "besides that, ");
  }
  if (out.empty()) out.push_back("a policy with an ALLOW rule is needed; those in force only abstain");
  return out;
}

}  // namespace

std::vector<std::string> Advise(const Program& program, const PolicyStack& stack, const FactView& view,
                                const Decision& decision) {
  switch (decision.fault) {
    case Fault::kNone:
      return {};
    case Fault::kAuthRequired:
      return {Cat("a credential: rule ", decision.rule, " of policy ", decision.policy, " depends on who asks")};
    case Fault::kSniMissing:
      return {ForHello(view), Cat("without_sni in every rule that allows ", view.target().host)};
    case Fault::kEchOuterName:
      return {ForHello(view), Cat("\"", view->sni.value(), "\" added to ech_outer_names of every rule that allows ",
                                  view.target().host)};
    case Fault::kSniMalformed:
    case Fault::kSniMismatch:
      return {ForHello(view)};
    case Fault::kNeedsInspection:
      return {Cat("inspection allowed (NEVER removed) where rule ", decision.rule, " of policy ", decision.policy,
                  " has to look inside")};
    case Fault::kPolicyDenied:
      if (decision.can_allow) return {};  // a fact is missing, not a change
      return AdviseRules(program, stack, view);
    default:
      return {decision.message};
  }
}

}  // namespace egret
