// Where a connection wanted to go before the kernel turned it to a transparent listener.
#pragma once

#include <cstdint>
#include <string>

#include "source/base/ip.h"

namespace egret {

enum class Transparent : uint8_t {
  kOff,
  kRedirect,  // nftables rewrote the destination and remembers it
  kTproxy,    // the packets came as they were: it is the socket's own address
};

// Names that clients were told addresses for which nobody has: whoever answers their DNS so keeps them. Thread-safe.
class StandInNames {
 public:
  // In canonical form; empty: the address stands for none.
  virtual std::string NameOf(const IpAddress& address) const = 0;

 protected:
  ~StandInNames() = default;
};

// Of an accepted socket. One that was not turned here wanted what it reached: this very socket's own address.
Endpoint OriginalDestination(int fd, Transparent mode);

}  // namespace egret
