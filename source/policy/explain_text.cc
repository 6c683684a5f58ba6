#include <algorithm>
#include <cstddef>
#include <string_view>

#include "source/base/json.h"
#include "source/base/strings.h"
#include "source/policy/explain.h"

namespace egret {
namespace {

constexpr size_t kAskedWidth = 40;
constexpr size_t kOutcomesWidth = 24;
constexpr size_t kMaxFalse = 20;  // false rules of a stage; JSON has them all

std::string_view LetterOf(Stage stage) {
  constexpr std::string_view kLetters = "TAHR";
  return kLetters.substr(static_cast<size_t>(stage), 1);
}

std::string_view NameOf(Match match) {
  return match == Match::kTrue ? "true" : match == Match::kFalse ? "false" : "unknown";
}

std::string Outcomes(const Decision& decision) {
  if (decision.can_allow && decision.can_deny) return "outcomes {allow, deny}";
  return decision.can_allow ? "outcomes {allow}" : "outcomes {deny}";
}

std::string Rule(const Decision& decision) {
  return decision.policy.empty() ? decision.rule : Cat(decision.policy, '/', decision.rule);
}

std::string What(const Decision& decision) {
  using Verdict = Decision::Verdict;
  switch (decision.verdict) {
    case Verdict::kContinue:
      return "go on";
    case Verdict::kForward:
      return Cat("forward, rule=", Rule(decision));
    case Verdict::kRelay:
      return Cat("RELAY, rule=", Rule(decision));
    case Verdict::kInspect:
      return "INSPECT";
    default:
      return Cat(TextOf(decision.fault).status, " rule=", Rule(decision), " reason=", decision.reason);
  }
}

std::string Padded(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

void AppendRules(std::string& out, const StageReport& stage) {
  size_t hidden = 0;
  size_t shown = 0;
  for (const RuleReport& rule : stage.rules) {
    if (rule.match == Match::kFalse && ++shown > kMaxFalse) {
      ++hidden;
      continue;
    }
    Append(out, "     ", rule.policy, '/', rule.rule, rule.audit ? " (audit)" : "", "  ", NameOf(rule.match));
    for (size_t i = 0; i < rule.why.size(); ++i) Append(out, i == 0 ? ": " : ", ", rule.why[i]);
    out += '\n';
  }
  if (hidden != 0) Append(out, "     and ", hidden, " more that are false\n");
}

void WriteDecision(JsonWriter& json, const Decision& decision) {
  json.Member("verdict", NameOf(decision.verdict));
  json.Member("can_allow", decision.can_allow);
  json.Member("can_deny", decision.can_deny);
  if (decision.fault != Fault::kNone) json.Member("fault", TextOf(decision.fault).detail);
  json.MemberIf("policy", decision.policy);
  json.MemberIf("rule", decision.rule);
  json.MemberIf("reason", decision.reason);
  json.MemberIf("message", decision.message);
  json.MemberIf("audit", NameOf(decision.audit));
  json.MemberIf("audit_policy", decision.audit_policy);
  json.MemberIf("audit_rule", decision.audit_rule);
}

void WriteList(JsonWriter& json, std::string_view key, const std::vector<std::string>& list) {
  json.Key(key);
  json.BeginArray();
  for (const std::string& text : list) json.String(text);
  json.EndArray();
}

void WriteStage(JsonWriter& json, const StageReport& stage) {
  json.BeginObject();
  json.Member("stage", NameOf(stage.stage));
  json.Member("asked", stage.asked);
  WriteDecision(json, stage.decision);
  json.Key("rules");
  json.BeginArray();
  for (const RuleReport& rule : stage.rules) {
    json.BeginObject();
    json.Member("policy", rule.policy);
    json.Member("rule", rule.rule);
    json.Member("action", rule.allows ? "ALLOW" : "DENY");
    if (rule.audit) json.Member("mode", "AUDIT");
    json.Member("match", NameOf(rule.match));
    WriteList(json, rule.match == Match::kUnknown ? "missing" : "false", rule.why);
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
}

}  // namespace

std::string ToText(const Explanation& explanation) {
  std::string out;
  for (const StageReport& stage : explanation.stages) {
    Append(out, LetterOf(stage.stage), "  ", Padded(stage.asked, kAskedWidth), "  ",
           Padded(Outcomes(stage.decision), kOutcomesWidth), What(stage.decision), '\n');
    AppendRules(out, stage);
    const Decision& decision = stage.decision;
    if (decision.audit != Decision::Audit::kNone)
      Append(out, "     ", NameOf(decision.audit), ": ", decision.audit_policy, '/', decision.audit_rule, '\n');
    if (decision.denied() && !decision.message.empty()) Append(out, "     says: ", decision.message, '\n');
  }
  for (const std::string& fact : explanation.missing) Append(out, "not known: ", fact, '\n');
  for (const std::string& change : explanation.changes) Append(out, "would help: ", change, '\n');
  return out;
}

std::string ToJson(const Explanation& explanation) {
  std::string out;
  JsonWriter json(out);
  json.BeginObject();
  json.Key("stages");
  json.BeginArray();
  for (const StageReport& stage : explanation.stages) WriteStage(json, stage);
  json.EndArray();
  WriteList(json, "missing", explanation.missing);
  WriteList(json, "changes", explanation.changes);
  json.EndObject();
  return out;
}

}  // namespace egret
