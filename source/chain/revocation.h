// What is open is judged again when another policy is in force, when a rule's window or an audit begins or ends, and
// when what proved an identity ends or is taken back: then nobody is there whom it was allowed for. What is not allowed
// any more is ended within the snapshot's `revocation_grace_ms`, spread over it so that not all clients come back at
// once; few are ended at once. A turn of the loop judges a few, however many are open. What has become allowed changes
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "source/chain/worker.h"
#include "source/event/loop.h"
#include "source/event/task.h"

namespace egret {

class Revocation {
 public:
  explicit Revocation(Worker& worker) : worker_(worker), seen_(worker.unix_seconds()) {}

  // Ends only by being destroyed. On the worker's loop, once, when the worker has a policy.
  Task<void> Run();
  // Another policy is in force.
  void PolicyChanged() { changed_.Open(); }

 private:
  Task<void> NextCause();
  Task<size_t> CountRevoked();
  Task<void> EndRevoked(size_t count, uint64_t begun_ms);
  struct Share {
    size_t ended = 0;
    bool last = false;  // the walk is over
  };
  Share EndSome(size_t most);
  bool Interrupted(uint64_t begun_ms) const;

  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  Worker& worker_;
  Gate changed_{false};
  int64_t seen_;                   // all boundaries up to then have been heeded
  uint64_t deadline_ms_ = kNever;  // for what the oldest cause that is not carried out yet revokes
};

}  // namespace egret
