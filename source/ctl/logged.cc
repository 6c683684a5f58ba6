#include "source/ctl/logged.h"

#include <utility>
#include <vector>

#include "source/base/field.h"
#include "source/config/json_parser.h"
#include "source/ctl/json_node.h"
#include "source/ctl/log_line.h"
#include "source/policy/explain.h"

namespace egret {
namespace {

std::string VerdictOf(const std::string& decision) {
  if (decision.empty() || decision == "challenge") return "";
  return decision == "deny" || decision == "inspect" ? decision : "allow";
}

}  // namespace

PolicyChange Logged::Row() const {
  PolicyChange row;
  row.who = who;
  row.target = asked.target.ToString();
  row.method = method;
  return row;
}

LoggedLine ReadLogged(std::string_view text) {
  const Tree tree = ParseJson(text, "");
  if (!tree.root || TextOf(*tree.root, "event") == "open") return {.counts = false, .logged = {}};
  Result<Asked, Problem> asked = AskAsLogged(text);
  if (!asked) return {};
  const Node& line = *tree.root;
  Logged logged;
  logged.asked = std::move(*asked);
  Assume(logged.asked);
  logged.listener = TextOf(line, "listener");
  const std::string identity = TextOf(line, "identity");
  const auto& source = logged.asked.source;
  logged.who = !identity.empty() ? identity : source ? source->ToString() : "";
  logged.method = TextOf(line, "method");
  logged.was = {VerdictOf(TextOf(line, "decision")), TextOf(line, "policy"), TextOf(line, "rule")};
  logged.stage = TextOf(line, "stage");
  return {.logged = std::move(logged)};
}

Decision JudgeAgain(const Policy& policy, const PolicyStack& stack, const Asked& asked) {
  std::vector<Field> fields;
  return Explain(policy, stack, AsQuestion(asked, fields)).stages.back().decision;
}

}  // namespace egret
