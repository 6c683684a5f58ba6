// What a rule says about ClientHellos: the form of its fingerprints, and where it lifts the name guard.
#pragma once

#include <string>

#include "source/policy/errors.h"
#include "source/policy/program.h"
#include "source/policy/spec.h"

namespace egret {

// `path`: of the rule, for errors.
void CompileHello(const RuleSpec& spec, const std::string& path, CompiledRule& out, PolicyErrors& errors);

}  // namespace egret
