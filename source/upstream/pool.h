// A worker's connections to origins and parent proxies: idle ones of HTTP/1, and those of HTTP/2, which many requests
// share. A link is given out only for what it was made for (the key) and only where the policy of the moment admits the
// address it actually leads to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "source/base/counter.h"
#include "source/base/ip.h"
#include "source/base/list.h"
#include "source/event/loop.h"
#include "source/event/nursery.h"
#include "source/event/task.h"
#include "source/http/http2_limits.h"
#include "source/upstream/dial_turns.h"
#include "source/upstream/known_keys.h"
#include "source/upstream/link.h"
#include "source/upstream/pool_place.h"

namespace egret {

struct PoolLimits {
  size_t idle_per_key = 64;
  size_t idle_total = 1024;
  size_t links_per_key = 1024;  // being dialled, in use and idle
  uint64_t idle_ms = 60000;
  uint64_t max_age_ms = 3600000;  // names move: what was right an hour ago is asked again
};

class UpstreamPool {
 public:
  using Admits = std::function<bool(const IpAddress& peer)>;

  UpstreamPool();
  ~UpstreamPool();
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  // The link of that key that idled least and that `admits` agrees to; null where there is none.
  std::unique_ptr<Http1Link> Take(const PoolKey& key, const Admits& admits);
  // Before one more is dialled for this key: nothing where the limit is reached.
  std::optional<PoolPlace> Claim(PoolKey key, const PoolLimits& limits);
  // For a connection that is there already (a tunnel's), whatever the limit.
  PoolPlace Enter(PoolKey key);
  // A link of that key with room for one more request, that `admits` agrees to, and whose number is above `after`; null
  // where there is none. It is the pool's, for this turn only.
  Http2Link* FindShared(const PoolKey& key, const Admits& admits, uint64_t after = 0);
  // Whether there is one of that key with room that takes extended CONNECT (RFC 8441).
  bool TakesExtendedConnect(const PoolKey& key) const;
  // The TLS of a link of that key that a request could have now, and that `admits` agrees to, without taking it; null
  // where there is none. For this turn only.
  const TlsStream* Look(const PoolKey& key, const Admits& admits);
  // From here on the link is the pool's, and lives until its connection ends: that may be at once.
  void Share(std::unique_ptr<Http2Link> link);
  // After an exchange: keeps it, or closes it where it cannot be used again.
  void Put(std::unique_ptr<Http1Link> link, const PoolLimits& limits);

  // visit(key, links, idle) for each key that has any; links are being dialled, in use and idle.
  template <class Visit>
  void ForEach(Visit visit) const {
    for (const auto& [key, shelf] : shelves_) visit(key, shelf.links, shelf.idle_count);
  }

  DialTurns& turns() { return turns_; }
  KnownKeys& known_keys() { return known_keys_; }

  // Closes what nobody uses now.
  void Clear();
  const Gauge& idle() const { return idle_count_; }
  const Gauge& links() const { return link_count_; }
  const Counter& turned_away() const { return turned_away_; }  // links closed for want of room to idle
  // Limits that origins and parents ran into on shared links.
  Http2LimitHits& http2_hits() { return http2_hits_; }
  const Http2LimitHits& http2_hits() const { return http2_hits_; }

 private:
  friend class PoolPlace;
  struct Shelf {
    ListNode idle;    // of Http1Link, the one that idled longest first
    ListNode shared;  // of Http2Link
    size_t idle_count = 0;
    size_t links = 0;  // being dialled, in use and idle
  };
  struct SweepTimer : Timer {
    UpstreamPool* pool = nullptr;
  };
  static constexpr uint64_t kSweepMs = 1000;

  static Http1Link* FindIdle(Shelf& shelf, const Admits& admits, std::vector<Http1Link*>& dead);
  bool MakeRoom(Shelf& shelf, const PoolLimits& limits);
  static Task<void> Run(std::unique_ptr<Http2Link> link);
  static Task<void> Announce(Http2Link& link);
  void Drop(Http1Link& idle);
  void Unshelve(Http1Link& idle);
  void Leave(const PoolKey& key);
  void Sweep();

  DialTurns turns_;
  KnownKeys known_keys_;
  std::unordered_map<PoolKey, Shelf> shelves_;
  ListNode by_age_;  // of Http1Link::Age, the one that idled longest first
  Gauge idle_count_, link_count_;
  Counter turned_away_;
  Http2LimitHits http2_hits_;
  PoolLimits limits_;  // of the latest Put; what the sweep goes by
  SweepTimer sweep_;
  Nursery shared_;  // the connections' tasks of HTTP/2 links, which own them
};

}  // namespace egret
