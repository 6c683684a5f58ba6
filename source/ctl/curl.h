// A pasted curl command as a question: its first request, as curl would send it to a proxy.
#pragma once

#include <span>
#include <string>

#include "source/base/result.h"
#include "source/ctl/question.h"

namespace egret {

// The arguments after "curl". Options that do not change what is asked for are passed over; one that is not known is a
// problem, since it might take what follows it.
Result<Asked, Problem> AskAsCurl(std::span<const std::string> arguments);

}  // namespace egret
