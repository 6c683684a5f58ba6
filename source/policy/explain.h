// Why a decision comes out as it does: every stage, every rule, what is missing, and for a denial the smallest change
// of a rule or of the request that would allow it. For operators; to a workload it would be an oracle.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/policy/facts.h"
#include "source/policy/policy.h"

namespace egret {

struct Question {
  Ask ask = Ask::kTunnel;
  // Facts of the request; what is unknown stays unknown. For a tunnel method, path and headers are those of a request
  // inside it. `target` must be set.
  Facts facts;
};

enum class Match : uint8_t { kFalse, kUnknown, kTrue };

struct RuleReport {
  std::string policy;
  std::string rule;
  bool allows = false;
  bool audit = false;
  Match match = Match::kFalse;
  std::vector<std::string> why;  // the groups that are false, or what is missing: "http.methods", "to.domains"
};

struct StageReport {
  Stage stage = Stage::kTarget;
  std::string asked;  // the facts known here, for people: "CONNECT pypi.org:443 as ci/alice"
  std::vector<RuleReport> rules;
  Decision decision;
};

struct Explanation {
  std::vector<StageReport> stages;   // as far as the facts or a denial lead
  std::vector<std::string> missing;  // facts that were needed to go on: "resolved", "protocol", "http"
  std::vector<std::string> changes;  // for a denial: what would allow it, smallest first
};

Explanation Explain(const Policy& policy, const PolicyStack& stack, const Question& question);
std::string ToText(const Explanation& explanation);
std::string ToJson(const Explanation& explanation);

}  // namespace egret
