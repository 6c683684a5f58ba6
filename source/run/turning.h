// Turns whatever a command sends past the proxy to where it is judged, in its own network: TCP to the transparent
// listener, questions of DNS to who answers them; all else that would leave is refused on the spot.
#pragma once

#include <cstdint>
#include <string>

namespace egret {

struct TurnTo {
  uint16_t tcp = 0;             // port of the transparent listener
  uint16_t dns4 = 0, dns6 = 0;  // of datagrams, on 127.0.0.1 and ::1
  uint16_t dns = 0;             // of connections, on both
};

// The rules of it, in nftables' language.
std::string RulesOf(const TurnTo& to);

// In the network of the calling process. Empty: done. Else why not, and nothing has been turned: then nothing that goes
// past the proxy leaves either, since there is nowhere to go.
std::string TurnTraffic(const TurnTo& to);

}  // namespace egret
