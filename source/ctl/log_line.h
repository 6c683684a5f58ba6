// A line of the access log as a question.
#pragma once

#include <string_view>

#include "source/base/result.h"
#include "source/ctl/question.h"

namespace egret {

// One JSON object as source/chain/record.h writes it; only what says who asked for what is read. Headers and groups
// stay unknown, the log does not hold them; of the addresses it holds the one that was dialled.
Result<Asked, Problem> AskAsLogged(std::string_view line);

}  // namespace egret
