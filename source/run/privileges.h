// What a command behind the fence may do there: never anything to the fence itself.
#pragma once

namespace egret {

// Of the calling process and all that it executes, for good: nothing that gives more privileges than it has
// (set-user-ID programs run as whoever starts them), and no capability but those that installing software as root
// needs; none over networks, mounts, other processes' memory or the kernel. False: the kernel refused (errno).
bool DropPrivileges();

// Closes what was inherited and leads into the network outside: sockets, but for Unix ones and the three standard
// streams.
void CloseNetworkSockets();

}  // namespace egret
