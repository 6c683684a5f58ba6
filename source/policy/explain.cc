#include "source/policy/explain.h"

#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/policy/advice.h"
#include "source/policy/evaluate.h"
#include "source/policy/program.h"

namespace egret {
namespace {

using Addresses = Fact<std::span<const IpAddress>>;

// What is known of a tunnel before anything was read from it.
Facts Outside(Facts facts) {
  facts.resolved = {};
  facts.protocol = {};
  facts.sni = {};
  facts.ech = false;
  facts.ja3 = facts.ja4 = {};
  facts.method = {};
  facts.path = {};
  facts.headers = {};
  return facts;
}

std::string RequestLine(const Facts& facts, std::string_view otherwise) {
  if (!facts.method.known()) return std::string(otherwise);
  return Cat(facts.method.value(), ' ', facts.path.known() ? facts.path.value() : "?");
}

std::string AskedAtTarget(const Question& question) {
  const Facts& facts = question.facts;
  std::string out = question.ask == Ask::kTunnel
                        ? Cat("CONNECT ", facts.target->ToString())
                        : Cat(facts.method.known() ? facts.method.value() : "?", " http://",
                              facts.target->Authority(80), facts.path.known() ? facts.path.value() : "");
  Append(out, " from ", facts.source.ToString());
  if (facts.identity.known()) Append(out, " as ", facts.identity.value()->Name());
  if (facts.identity.absent()) out += " as nobody";
  return out;
}

std::string AskedAtAddress(const Facts& facts) {
  std::string out = "resolved to";
  for (const IpAddress& address : facts.resolved.value()) Append(out, ' ', address.ToString());
  return out;
}

std::string AskedAtHello(const Facts& facts) {
  if (facts.protocol.value() != Protocol::kTls) return facts.protocol.value() == Protocol::kHttp ? "HTTP" : "other";
  std::string out = facts.sni.known() ? Cat("TLS, SNI ", facts.sni.value()) : "TLS, no SNI";
  if (facts.ech) out += " and ECH";
  if (facts.ja4.known()) Append(out, ", ", facts.ja4.value());
  return out;
}

RuleReport Report(const CompiledPolicy& policy, const CompiledRule& rule, const FactView& view, bool host_matches) {
  RuleReport out{policy.name, rule.name, rule.allows, rule.audit, Match::kTrue, {}};
  uint32_t missing = 0;
  out.match = JudgeRule(rule, view, host_matches, missing);
  for (uint32_t left = rule.groups; left != 0 && out.match != Match::kTrue; left &= left - 1) {
    const auto group = static_cast<Group>(__builtin_ctz(left));
    if (JudgeGroup(rule, group, view, host_matches) == out.match) out.why.emplace_back(NameOf(group));
  }
  return out;
}

class Explainer {
 public:
  Explainer(const Policy& policy, const PolicyStack& stack, const Question& question)
      : policy_(policy), stack_(stack), question_(question), known_(Outside(question.facts)) {
    if (question.ask == Ask::kTunnel) return;
    known_ = question.facts;
    known_.resolved = {};
    known_.protocol = Protocol::kHttp;
  }

  Explanation Run() {
    auto target = policy_.DecideTarget(stack_, known_, question_.ask);
    Add(AskedAtTarget(question_), target.decision);
    if (!target.permit) return std::move(out_);
    Binding binding;
    binding.target = *question_.facts.target;
    if (!AtAddress(*target.permit, binding) || question_.ask == Ask::kRequest) return std::move(out_);
    if (AtHello(binding)) AtRequest(binding);
    return std::move(out_);
  }

 private:
  // Whether it goes on.
  bool AtAddress(const Admission& admission, Binding& binding) {
    const auto& literal = binding.target.literal;
    const Addresses resolved = literal ? Addresses(std::span<const IpAddress>(&*literal, 1)) : question_.facts.resolved;
    if (!resolved.known()) {
      out_.missing.emplace_back("resolved");
      binding.remote = true;
      return !DependsOnAddresses();
    }
    known_.resolved = resolved;
    const auto ruling = policy_.DecideAddress(admission, known_);
    Add(AskedAtAddress(known_), ruling.decision);
    if (ruling.permit) binding = ruling.permit->binding();
    return ruling.permit.has_value();
  }

  // Whether a rule that may still decide waits for resolved addresses, all else being known.
  bool DependsOnAddresses() const {
    const FactView view(question_.facts, *question_.facts.target);
    return (Evaluation(policy_.program(), stack_, view).Run().missing & Bit(Group::kResolved)) != 0;
  }

  // The name that a literal's tunnel shows has to be resolved too. False: nobody says to what.
  bool AddShown(Binding& binding) {
    if (!binding.target.literal || !known_.sni.known() || known_.protocol.value() != Protocol::kTls) return true;
    const auto name = ParseServerName(known_.sni.value(), binding.target.port);
    if (!name || name->literal) return true;
    if (!question_.sni_resolved.known()) {
      out_.missing.emplace_back("resolved");
      return false;
    }
    const auto& addresses = question_.sni_resolved.value();
    binding.shown = std::make_shared<const ShownName>(ShownName{*name, {addresses.begin(), addresses.end()}});
    return true;
  }

  bool AtHello(Binding& binding) {
    known_.protocol = question_.facts.protocol;
    if (!known_.protocol.known()) {
      out_.missing.emplace_back("protocol");
      return false;
    }
    known_.sni = question_.facts.sni;
    known_.ech = question_.facts.ech;
    if (known_.sni.unknown() && !binding.target.literal) known_.sni = std::string_view(binding.target.host);
    if (!AddShown(binding)) return false;
    known_.ja3 = question_.facts.ja3;
    known_.ja4 = question_.facts.ja4;
    const auto ruling = policy_.DecideHello(binding, stack_, known_);
    Add(AskedAtHello(known_), ruling.decision);
    return ruling.inspect.has_value() && !LacksFingerprint();
  }

  // Whether what is open after the hello is open for want of what a hello shows.
  bool LacksFingerprint() {
    const FactView view(known_, *question_.facts.target);
    const uint32_t missing = Evaluation(policy_.program(), stack_, view).Run().missing;
    if ((missing & Bit(Group::kJa3)) != 0) out_.missing.emplace_back("from.ja3");
    if ((missing & Bit(Group::kJa4)) != 0) out_.missing.emplace_back("from.ja4");
    return (missing & kFingerprintGroups) != 0;
  }

  void AtRequest(const Binding& binding) {
    if (!question_.facts.method.known()) {
      out_.missing.emplace_back("request");
      return;
    }
    known_.method = question_.facts.method;
    known_.path = question_.facts.path;
    known_.headers = question_.facts.headers;
    Add(RequestLine(known_, ""), policy_.DecideRequest(binding, stack_, known_).decision);
  }

  void Add(std::string asked, Decision decision) {
    const FactView view(known_, *question_.facts.target);
    const Program& program = policy_.program();
    const Evaluation evaluation(program, stack_, view);
    StageReport report{decision.stage, std::move(asked), {}, std::move(decision)};
    for (const std::string& name : stack_.names()) {
      const auto at = program.by_name.find(name);
      if (at == program.by_name.end()) continue;
      const std::vector<bool> hosts = evaluation.HostMatches(*at->second);
      for (size_t i = 0; i < hosts.size(); ++i)
        report.rules.push_back(Report(*at->second, at->second->rules[i], view, hosts[i]));
    }
    if (report.decision.denied()) out_.changes = Advise(program, stack_, view, report.decision);
    out_.stages.push_back(std::move(report));
  }

  const Policy& policy_;
  const PolicyStack& stack_;
  const Question& question_;
  Facts known_;  // so far
  Explanation out_;
};

}  // namespace

Explanation Explain(const Policy& policy, const PolicyStack& stack, const Question& question) {
  return Explainer(policy, stack, question).Run();
}

}  // namespace egret
