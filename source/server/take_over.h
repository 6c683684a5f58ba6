// Restart without a lost connection: a new process takes the listening sockets themselves from the one that runs, over
// a Unix socket (SCM_RIGHTS), so that no queue is ever without an owner.
//
//   new process                      running process, listening on PATH
//     connects            ────►        peer of the same user? (SO_PEERCRED)
//     "egret-take-over 1" ────►
//                         ◄────      "sockets N", then N times "NAME" with a descriptor; or "no WHY"
//     starts, accepts
//     "ready"             ────►      stops accepting, without shutdown(); drains, ends
//
// Until "ready" the running process goes on as if nothing happened; if the new one dies, it hears an end and forgets
// it. Names: "listener NAME", "admin", "metrics", "take-over" (PATH's own socket).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/result.h"
#include "source/event/nursery.h"
#include "source/event/task.h"
#include "source/io/listen.h"

namespace egret {

// A listening socket under the name by which the other process knows it.
struct NamedSocket {
  std::string name;
  ListenSocket socket;
};

// What a predecessor gave. What nobody takes out is closed with it.
class HandedSockets {
 public:
  HandedSockets() = default;
  explicit HandedSockets(std::vector<NamedSocket> sockets) : sockets_(std::move(sockets)) {}
  // Those on exactly this address; of one with port 0, those of this name on the same IP address, whatever their port.
  std::vector<ListenSocket> Take(const ListenAddress& wanted, std::string_view name);
  // The first of them.
  std::optional<ListenSocket> TakeOne(const ListenAddress& wanted, std::string_view name);
  // Whatever its address is.
  std::optional<ListenSocket> TakeNamed(std::string_view name);

 private:
  std::vector<NamedSocket> sockets_;
};

// At least `workers` of them: where there are fewer, workers share one (a duplicate of the descriptor). More workers
// than sockets must not open sockets of their own on the same address: the kernel would queue connections on them
// before it is certain that this process lives to accept them.
Result<std::vector<ListenSocket>, std::string> EnoughFor(uint32_t workers, std::vector<ListenSocket> sockets);

// The process that runs, as the new one sees it. Calls block, for 10 s at most.
class Predecessor {
 public:
  // Nothing where nobody listens at `address`. The error says why what runs there cannot be taken over.
  static Result<std::optional<Predecessor>, std::string> Find(const ListenAddress& address);
  ~Predecessor();
  Predecessor(Predecessor&& other) noexcept;
  Predecessor& operator=(Predecessor&&) = delete;

  HandedSockets TakeSockets() { return HandedSockets(std::move(sockets_)); }
  // From here on this process accepts.
  void SayReady();

 private:
  explicit Predecessor(int fd) : fd_(fd) {}
  int fd_;
  std::vector<NamedSocket> sockets_;
};

// A descriptor to hand over; its owner keeps it open.
struct OfferedSocket {
  std::string name;
  int fd;
};

// Where the running process waits for its successor. On the main loop.
class TakeOverPoint final : public AcceptSink {
 public:
  // `offer` gives what to hand over at that moment; one descriptor that several workers share goes once. `taken` is
  // called once a successor accepts; it may not destroy this.
  TakeOverPoint(ListenSocket socket, std::function<std::vector<OfferedSocket>()> offer, std::function<void()> taken);
  ~TakeOverPoint();
  // No successor is served any more. One that has the sockets keeps them.
  void Stop();

 private:
  void Accepted(int fd, const Endpoint& peer) override;
  Task<void> Session(int fd);

  ListenSocket socket_;
  std::function<std::vector<OfferedSocket>()> offer_;
  std::function<void()> taken_;
  bool busy_ = false;  // a successor has the sockets and is starting
  bool stopped_ = false;
  AcceptCounters counters_;
  Nursery sessions_, accepting_;
};

}  // namespace egret
