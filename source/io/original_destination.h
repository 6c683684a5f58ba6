// Where a connection wanted to go before the kernel turned it to a transparent listener.
#pragma once

#include <cstdint>

#include "source/base/ip.h"

namespace egret {

enum class Transparent : uint8_t {
  kOff,
  kRedirect,  // nftables rewrote the destination and remembers it
  kTproxy,    // the packets came as they were: it is the socket's own address
};

// Of an accepted socket. One that was not turned here wanted what it reached: this very socket's own address.
Endpoint OriginalDestination(int fd, Transparent mode);

}  // namespace egret
