// Listening sockets and the loop that accepts from one. A worker may own several.
#pragma once

#include <sys/socket.h>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "source/base/counter.h"
#include "source/base/ip.h"
#include "source/base/result.h"
#include "source/event/task.h"

namespace egret {

// Where to listen: an IP endpoint, or a path in the file system.
struct ListenAddress {
  Endpoint ip;
  std::string path;  // not empty: a Unix socket

  // "127.0.0.1:3128", "[::]:0", "unix:/run/egret.sock"
  static std::optional<ListenAddress> Parse(std::string_view text);
  std::string ToString() const;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

struct ListenOptions {
  bool reuse_port = false;   // several sockets on one address, the kernel spreads (one for each worker)
  bool v6_only = false;      // [::] otherwise takes IPv4 as well
  bool transparent = false;  // takes connections to addresses that are not ours (TPROXY); needs CAP_NET_ADMIN
  int backlog = 4096;
  uint32_t path_mode = 0600;
};

// A listening descriptor, owned. Closing it never calls shutdown(): another process may hold the same socket.
class ListenSocket {
 public:
  // The error names address, errno and, where it can be found, who has the port.
  static Result<ListenSocket, std::string> Open(const ListenAddress& address, const ListenOptions& options);
  // A socket that another process handed over; takes the descriptor in any case.
  static Result<ListenSocket, std::string> Adopt(int fd);

  ~ListenSocket();
  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&& other) noexcept;

  int fd() const { return fd_; }
  const ListenAddress& bound() const { return bound_; }  // with the port that was given for 0

 private:
  ListenSocket(int fd, ListenAddress bound);
  int fd_;
  ListenAddress bound_;
};

struct AcceptCounters {
  Counter accepted;
  Counter pauses;       // no descriptor or memory left: accepting rested for pause_ms
  Counter aborted;      // gone before they were accepted
  Counter queue_drops;  // by the kernel, since the queue was full
};

class AcceptSink {
 public:
  // Takes the descriptor: non-blocking, close-on-exec, TCP_NODELAY. `peer` is 0.0.0.0:0 on a Unix socket. Must not
  // destroy the accepting task.
  virtual void Accepted(int fd, const Endpoint& peer) = 0;

 protected:
  ~AcceptSink() = default;
};

using AcceptCall = int (*)(int fd, sockaddr* peer, socklen_t* size, int flags);

struct AcceptOptions {
  int most_per_turn = 64;
  uint64_t pause_ms = 50;
  int fd_below = INT_MAX;         // once one with this number was given, accepting rests until lower ones are free
  AcceptCall accept = ::accept4;  // tests give their own
};

// Accepts for ever; to stop, destroy the task: what is queued in the kernel stays for whoever accepts next. `fd`,
// `sink` and `counters` outlive it.
Task<void> AcceptLoop(int fd, AcceptSink& sink, AcceptCounters& counters, AcceptOptions options = {});

// Accepts what is queued at this moment. For a socket that is about to be closed: that resets what it still holds.
void AcceptQueued(int fd, AcceptSink& sink, AcceptCounters& counters);

}  // namespace egret
