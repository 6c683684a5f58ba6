// The fence around a command, as it is seen from outside: namespaces of its own for users, processes, mounts and the
// network, with a warden in them.
//
//   supervisor: the proxy, in the network of the host          warden: process 1 behind the fence
//     clone(), maps users                 ── mapped ──►          network, mounts, listening sockets
//     serves on those                     ◄── doors ────
//                                         ──── go ────►          drops privileges, starts the command
//     passes signals on                   ── signal ──►
//     sees its end                        ◄── (exits) ──         exits as the command does, and takes all with it
//
// Whichever of the two ends, however, the other and everything behind the fence ends as well.
#pragma once

#include <sys/types.h>

#include <utility>

#include "source/base/result.h"
#include "source/run/channel.h"
#include "source/run/room.h"
#include "source/run/warden.h"

namespace egret {

class Fence {
 public:
  // Only while the process has one thread. The problem tells the remedy.
  static Result<Fence, Problem> Build(const WardenOrders& orders);

  // The doors, and what the room lacks, once it is ready; waits for that.
  Result<Room, Problem> Open();
  const Channel& warden() const { return warden_; }
  int pidfd() const { return pidfd_.get(); }  // readable once the warden has ended
  // Waits for the warden's end, which has come or comes by itself, and gives its exit status (exit_status.h).
  int Close();

 private:
  Fence(Channel warden, OwnedFd pidfd) : warden_(std::move(warden)), pidfd_(std::move(pidfd)) {}
  Channel warden_;
  OwnedFd pidfd_;
};

}  // namespace egret
