// A destination as --allow names it, made into a rule.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "egret/config/v1/policy.pb.h"
#include "source/base/result.h"

namespace egret {

// `text`: NAME, *.NAME, .NAME, ADDRESS, RANGE (CIDR) or "[IPv6]", and perhaps ":PORT". Without a port the rule's own
// defaults hold (80 and 443, TLS and HTTP); on another port anything may be spoken. An address that is named is reached
// though it be private; names lead to `private_ranges` besides what is public. What is wrong with the names and ranges
// themselves is for the validator.
Result<config::v1::Rule, Problem> RuleOf(std::string_view text, const std::vector<std::string>& private_ranges);

}  // namespace egret
