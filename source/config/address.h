// Addresses as configuration writes them, as plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/config/scalar.h"

namespace egret {

// Where a socket listens: an address and port, or a path ("unix:/run/egret/proxy.sock").
struct SocketPlace {
  Endpoint endpoint;      // only where there is no path
  std::string unix_path;  // absolute; empty: none

  bool unix() const { return !unix_path.empty(); }
};

Result<SocketPlace, Unfit> ParseListenAddress(std::string_view text);

// Whether two sockets could not both be bound; [::] is taken to include IPv4. Port 0 clashes with nothing.
bool Clash(const SocketPlace& a, const SocketPlace& b);

bool IsLoopback(const IpAddress& address);

// A server that the operator chose: a name in lower case or an address without brackets, and a port from 1.
struct HostPort {
  std::string host;
  uint16_t port = 0;
};

Result<HostPort, Unfit> ParseHostPort(std::string_view text);
// Whether that server is surely on this host, so that nobody is on the way to it.
bool IsThisHost(std::string_view server);

}  // namespace egret
