// Why a decision comes out as it does: every stage, every rule, what is missing, and for a denial the smallest change
// of a rule or of the request that would allow it. For operators; to a workload it would be an oracle.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "source/policy/facts.h"
#include "source/policy/match.h"
#include "source/policy/policy.h"

namespace egret {

// The facts as a whole; each stage sees those that are known by then. For a tunnel, method, path and headers are those
// of a request inside it, and an SNI that is unknown is taken to be the target's name. Without resolved addresses stage
// A is left out, and nothing follows it where a rule asks for them.
struct Question {
  Ask ask = Ask::kTunnel;
  Facts facts;                                    // `target` must be set
  Fact<std::span<const IpAddress>> sni_resolved;  // of the name that a literal's tunnel shows
};

struct RuleReport {
  std::string policy;
  std::string rule;
  bool allows = false;
  bool audit = false;
  Match match = Match::kFalse;
  std::vector<std::string> why;  // the conditions that are false, or else those that are unknown: "http.methods"
};

struct StageReport {
  Stage stage = Stage::kTarget;
  std::string asked;  // the facts known here, for people: "CONNECT pypi.org:443 as alice"
  std::vector<RuleReport> rules;
  Decision decision;
};

struct Explanation {
  std::vector<StageReport> stages;   // as far as the facts or a denial lead
  std::vector<std::string> missing;  // facts without which a stage was left out: "resolved", "protocol", "request"
  std::vector<std::string> changes;  // for a denial: what would allow it, smallest first
};

Explanation Explain(const Policy& policy, const PolicyStack& stack, const Question& question);

std::string ToText(const Explanation& explanation);
std::string ToJson(const Explanation& explanation);

}  // namespace egret
