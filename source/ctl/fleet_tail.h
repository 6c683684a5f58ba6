// egretctl tail of the proxies of a group, by way of control planes.
#pragma once

#include <cstdint>

#include "source/ctl/command.h"

namespace egret {

// Until so many lines have come.
int TailGroup(const Given& given, uint64_t lines, Output& output);

}  // namespace egret
