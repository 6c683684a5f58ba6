// Who has a port, for an error that helps. Reads /proc; slow, for the start of a program only.
#pragma once

#include <cstdint>
#include <string>

namespace egret {

// "nginx (pid 4711)" for who listens on the TCP port, of those whose /proc may be read; else empty.
std::string WhoListens(uint16_t port);

}  // namespace egret
