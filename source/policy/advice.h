// For a denial: the smallest change of a rule or of the request that would allow it, found from the conditions that are
// false.
#pragma once

#include <string>
#include <vector>

#include "source/policy/decision.h"
#include "source/policy/evaluate.h"
#include "source/policy/match.h"
#include "source/policy/program.h"
#include "source/policy/stack.h"

namespace egret {

std::vector<std::string> Advise(const Program& program, const PolicyStack& stack, const FactView& view,
                                const Decision& decision);

}  // namespace egret
