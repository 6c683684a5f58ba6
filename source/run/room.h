// The room behind the fence, furnished from inside: the network that has nothing but loopback, and the sockets that
// lead out of it, which the supervisor gets.
#pragma once

#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/io/listen.h"

namespace egret {

struct Room {
  ListenSocket proxy;
};

// In the namespaces of the calling process, whose root it is.
Result<Room, Problem> FurnishRoom();
// Without a fence: the sockets alone.
Result<Room, Problem> OpenDoors();

}  // namespace egret
