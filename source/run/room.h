// The room behind the fence, furnished from inside: the network that has nothing but loopback, and the sockets that
// lead out of it, which the supervisor gets.
#pragma once

#include <string>
#include <vector>

#include "source/base/result.h"
#include "source/run/channel.h"

namespace egret {

// A socket that the supervisor serves, by the name that it knows it by.
struct Door {
  std::string name;
  OwnedFd fd;
};
inline constexpr char kProxyDoor[] = "proxy";                      // listens for clients of the proxy
inline constexpr char kTransparentDoor[] = "transparent";          // listens for connections that were turned there
inline constexpr char kDns4Door[] = "dns4", kDns6Door[] = "dns6";  // datagrams with questions
inline constexpr char kDnsDoor[] = "dns";                          // listens for connections with questions

struct Room {
  std::string proxy;        // where the proxy is: "127.0.0.1:41234"
  std::vector<Door> doors;  // the proxy's always
  std::string lacks;        // why there is no door for programs that do not look at the variables; empty: there is one
};

// In the namespaces of the calling process, whose root it is.
Result<Room, Problem> FurnishRoom();
// Without a fence: the proxy's door alone.
Result<Room, Problem> OpenProxyDoor();

}  // namespace egret
