// Who dials where many wait for the same. A connection of HTTP/2 is shared: of a burst of requests one makes it, and
// the others wait for what comes of that, each for as long as it likes. Whoever turns out to speak HTTP/1.1 is
// remembered for a while, since nobody need wait for a connection that cannot be shared.
//
// Belongs to a worker's pool; single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>

#include "source/base/list.h"
#include "source/event/loop.h"
#include "source/event/task.h"
#include "source/upstream/pool_place.h"

namespace egret {

// Held from before the dial until it is known what came of it. Destroyed before that, it goes to whoever has waited
// longest: one failure is not everybody's.
class DialTurn {
 public:
  DialTurn(DialTurn&& other) noexcept : turns_(std::exchange(other.turns_, nullptr)), key_(std::move(other.key_)) {}
  DialTurn& operator=(DialTurn&&) = delete;
  ~DialTurn();

  // There is a connection to share now.
  void FoundHttp2() &&;
  // Each makes its own.
  void FoundHttp1() &&;
  // For those who have a connection of their own to go on with: none of them waits any longer.
  void FoundNothing() &&;

 private:
  friend class DialTurns;
  DialTurn(class DialTurns& turns, PoolKey key) : turns_(&turns), key_(std::move(key)) {}

  DialTurns* turns_;
  PoolKey key_;
};

class DialTurns {
 public:
  // Whether a connection for this key turned out to be HTTP/1.1 not long ago.
  bool SpeaksHttp1(const PoolKey& key) const;
  // The turn, where nobody has it.
  std::optional<DialTurn> Take(const PoolKey& key);
  // Behind whoever has it, at most so long. Nothing: time is up, or there is something new to be found in the pool.
  Task<std::optional<DialTurn>> Wait(PoolKey key, uint64_t ms);

  static constexpr uint64_t kRememberMs = 600'000;
  static constexpr size_t kMostRemembered = 10'000;

 private:
  friend class DialTurn;
  struct Waiting : ListNode {
    Waiting(DialTurns& of, const PoolKey& for_key) : turns(of), key(for_key) {}
    ~Waiting() {
      if (has_turn) turns.PassOn(key);
    }
    DialTurns& turns;
    const PoolKey& key;
    Gate called{false};
    bool has_turn = false;
  };

  void PassOn(const PoolKey& key);
  void CallAll(const PoolKey& key);
  void Remember(const PoolKey& key);

  std::unordered_map<PoolKey, ListNode> taken_;        // keys that somebody dials for, each with those who wait
  std::unordered_map<PoolKey, uint64_t> http1_until_;  // of the loop's clock
};

}  // namespace egret
