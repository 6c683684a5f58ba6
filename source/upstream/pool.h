// A worker's idle HTTP/1 connections to origins and parent proxies. A link is given out only for what it was made for
// (the key) and only where the policy of the moment admits the address it actually leads to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "source/base/counter.h"
#include "source/base/ip.h"
#include "source/base/list.h"
#include "source/event/loop.h"
#include "source/http/http1_client.h"
#include "source/io/stream.h"

namespace egret {

// All that makes one link unfit for another's request, as one text: next hop, name and port, protocol.
using PoolKey = std::string;

class UpstreamPool;

// One connection's place in the count of its key, from before it is dialled until it is closed.
class PoolPlace {
 public:
  PoolPlace(PoolPlace&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)), key_(std::move(other.key_)) {}
  PoolPlace& operator=(PoolPlace&&) = delete;
  ~PoolPlace();

  const PoolKey& key() const { return key_; }

 private:
  friend class UpstreamPool;
  PoolPlace(UpstreamPool& pool, PoolKey key) : pool_(&pool), key_(std::move(key)) {}

  UpstreamPool* pool_;
  PoolKey key_;
};

// One HTTP/1 connection. Member order is destruction order: the codec borrows the stream.
struct UpstreamLink : ListNode {
  struct Age : ListNode {
    UpstreamLink* link = nullptr;
  };

  UpstreamLink(PoolPlace taken, std::unique_ptr<Stream> dialled, Endpoint to, const Http1ClientLimits& with);

  const PoolKey& key() const { return place.key(); }

  PoolPlace place;
  std::unique_ptr<Stream> stream;
  Endpoint peer;
  Http1ClientLimits limits;  // its own: a link outlives the config that it was made under
  Http1Client client;
  uint64_t born_ms;
  uint64_t idle_since_ms = 0;
  Age age;                // its place among all idle links, whatever their key
  uint32_t requests = 0;  // begun on it; the first one cannot meet a connection that idled away
};

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
  std::unique_ptr<UpstreamLink> Take(const PoolKey& key, const Admits& admits);
  // Before one more is dialled for this key: nothing where the limit is reached.
  std::optional<PoolPlace> Claim(PoolKey key, const PoolLimits& limits);
  // For a connection that is there already (a tunnel's), whatever the limit.
  PoolPlace Enter(PoolKey key);
  // After an exchange: keeps it, or closes it where it cannot be used again.
  void Put(std::unique_ptr<UpstreamLink> link, const PoolLimits& limits);

  // visit(key, links, idle) for each key that has any; links are being dialled, in use and idle.
  template <class Visit>
  void ForEach(Visit visit) const {
    for (const auto& [key, shelf] : shelves_) visit(key, shelf.links, shelf.idle_count);
  }

  void Clear();
  const Gauge& idle() const { return idle_count_; }
  const Gauge& links() const { return link_count_; }
  const Counter& turned_away() const { return turned_away_; }  // links closed for want of room to idle

 private:
  friend class PoolPlace;
  struct Shelf {
    ListNode idle;  // of UpstreamLink, the one that idled longest first
    size_t idle_count = 0;
    size_t links = 0;  // being dialled, in use and idle
  };
  struct SweepTimer : Timer {
    UpstreamPool* pool = nullptr;
  };
  static constexpr uint64_t kSweepMs = 1000;

  bool MakeRoom(Shelf& shelf, const PoolLimits& limits);
  void Drop(UpstreamLink& idle);
  void Unshelve(UpstreamLink& idle);
  void Leave(const PoolKey& key);
  void Sweep();

  std::unordered_map<PoolKey, Shelf> shelves_;
  ListNode by_age_;  // of UpstreamLink::Age, the one that idled longest first
  Gauge idle_count_, link_count_;
  Counter turned_away_;
  PoolLimits limits_;  // of the latest Put; what the sweep goes by
  SweepTimer sweep_;
};

}  // namespace egret
