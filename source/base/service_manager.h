// What a service manager is told of this process (sd_notify(3), systemd's Type=notify).
#pragma once

#include <cstdint>
#include <string_view>

namespace egret {

// One datagram to the socket that NOTIFY_SOCKET names, a path or an abstract name ("@..."); nothing where there is
// none. Whether anybody hears it makes no difference. Thread-safe.
void TellServiceManager(std::string_view state);

inline void TellReady() { TellServiceManager("READY=1"); }
// To be followed by TellReady().
void TellReloading();
// `within_ms`: by then it has ended; however long that is, it is given the time.
void TellStopping(uint64_t within_ms);

}  // namespace egret
