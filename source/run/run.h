// egret run: a command that reaches what a policy allows, and nothing else.
#pragma once

#include <span>

namespace egret {

// `arguments`: what follows "run". The exit status (exit_status.h).
int RunCommand(std::span<char* const> arguments);

}  // namespace egret
