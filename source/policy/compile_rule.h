// One rule, except for its hosts, which the indexes of the whole set hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/policy/errors.h"
#include "source/policy/program.h"
#include "source/policy/spec.h"

namespace egret {

// `path` is the rule's own: "policies[0].rules[2]". What is wrong goes to `errors`; the result is then not to be used.
CompiledRule CompileRule(const RuleSpec& spec, const std::string& path, PolicyErrors& errors);

// A range, or an error that says how it should have been written.
std::optional<Cidr> CompileCidr(std::string_view text, const std::string& path, PolicyErrors& errors);
std::vector<Cidr> CompileCidrs(const std::vector<std::string>& list, const std::string& path, PolicyErrors& errors);

}  // namespace egret
