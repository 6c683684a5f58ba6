// What all measuring programs need of sockets: non-blocking TCP over epoll. Anything unexpected ends the program, for
// then there is nothing to measure.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/ip.h"

namespace egret::bench {

// Prints `what` and the text of errno, and exits.
[[noreturn]] void Die(std::string_view what);

Endpoint ParseEndpointOrDie(std::string_view text);

// Listens with TCP_NODELAY, which accepted sockets inherit.
int Listen(const Endpoint& at);
Endpoint BoundAddress(int fd);

struct Dialled {
  int fd = -1;  // -1: refused at once, see errno
  bool connected = false;
};
Dialled Dial(const Endpoint& to);
// Waits until it is connected; for what is done before anything is measured.
int DialAndWait(const Endpoint& to);

class Poller {
 public:
  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  void Add(int fd, uint32_t events, void* owner) { Control(EPOLL_CTL_ADD, fd, events, owner); }
  void Remove(int fd) { Control(EPOLL_CTL_DEL, fd, 0, nullptr); }
  void Modify(int fd, uint32_t events, void* owner) { Control(EPOLL_CTL_MOD, fd, events, owner); }
  // Empty after `timeout` (none: never) or a signal.
  std::span<const epoll_event> Wait(std::optional<std::chrono::nanoseconds> timeout = {});

 private:
  void Control(int operation, int fd, uint32_t events, void* owner);

  int fd_;
  epoll_event ready_[256];
};

// The whole file at once, as whoever waits for it expects.
void WriteReadyFile(const std::string& path, const std::string& json);
// {"listeners": {name: "ADDRESS:PORT", ...}}
void WriteReadyListeners(std::string_view path, std::initializer_list<std::pair<std::string_view, Endpoint>> listeners);

// "--name value" among the arguments.
std::optional<std::string_view> Option(std::span<char* const> arguments, std::string_view name);

}  // namespace egret::bench
