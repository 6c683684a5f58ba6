// Dialling: Happy Eyeballs (RFC 8305) over exactly the addresses that were vetted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "source/base/failure.h"
#include "source/base/ip.h"
#include "source/event/task.h"
#include "source/io/stream.h"

namespace egret {

struct DialOptions {
  uint64_t attempt_ms = 250;            // the next address is tried after this (RFC 8305 8), or at once after a failure
  uint64_t connect_timeout_ms = 10000;  // for the whole dial
  size_t max_attempts = 10;             // a name with a hundred addresses is no way to make us scan
};

struct DialAttempt {
  Endpoint to;
  Fault fault = Fault::kNone;
  int error = 0;  // errno
};

struct DialResult {
  std::unique_ptr<Stream> stream;   // a SocketStream; null where the dial failed
  Endpoint peer;                    // what the kernel says we are connected to: one of the addresses given
  std::vector<DialAttempt> failed;  // in the order in which they failed; attempts that merely lost are not told
  Fault fault = Fault::kNone;       // kNone: connected. Else that of the last attempt that says most
};

// What an errno of socket() or connect() means.
Fault ConnectFault(int error);

// The order in which addresses are tried, at most so many: the families take turns, IPv6 begins (RFC 8305 4).
std::vector<IpAddress> DialOrder(std::span<const IpAddress> addresses, size_t most);

// Tries IPv6 and IPv4 in turn, IPv6 first, each family in the order given. Losers are closed. `addresses` and `options`
// stay where they are until the task ends; destroying it closes everything.
[[clang::coro_wrapper]] Task<DialResult> DialAny(std::span<const IpAddress> addresses, uint16_t port,
                                                 const DialOptions& options);

}  // namespace egret
