// Why a system lets nobody have namespaces of their own, and what can be done about it.
#pragma once

#include <string>

namespace egret {

// `error`: what the kernel said (errno). With the remedy, for people.
std::string WhyNoFence(int error);

}  // namespace egret
