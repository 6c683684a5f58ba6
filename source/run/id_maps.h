// Users and groups behind the fence: the same as outside, as far as whoever starts it may say so.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace egret {

// Of the user namespace of the child `pid`: root keeps all users and groups that it has here, so that programs can
// change to them; anybody else has the own ones alone. False: the kernel refused (errno).
bool MapIds(pid_t pid);

// All ids of a /proc/self/uid_map, as they are named inside, mapped to themselves.
std::string IdentityOf(std::string_view map);

}  // namespace egret
