// A worker's idle HTTP/1 connections to origins and parent proxies. A link is given out only for what it was made for
// (the key) and only where the policy of the moment admits the address it actually leads to.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

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

// One HTTP/1 connection. Member order is destruction order: the codec borrows the stream.
struct UpstreamLink : ListNode {
  UpstreamLink(std::unique_ptr<Stream> dialled, Endpoint to, PoolKey for_key, const Http1ClientLimits& with);
  ~UpstreamLink();

  std::unique_ptr<Stream> stream;
  Endpoint peer;
  PoolKey key;
  Http1ClientLimits limits;  // its own: a link outlives the config that it was made under
  Http1Client client;
  uint64_t born_ms;
  uint64_t idle_since_ms = 0;
  uint32_t requests = 0;         // begun on it; the first one cannot meet a connection that idled away
  UpstreamPool* pool = nullptr;  // whose count it is in
};

struct PoolLimits {
  size_t idle_per_key = 64;
  size_t idle_total = 1024;
  size_t links_per_key = 1024;  // in use and idle
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
  // Whether one more may be made for this key.
  bool MayDial(const PoolKey& key, const PoolLimits& limits) const;
  // Counts a link that was just made, until it dies.
  void Adopt(UpstreamLink& link);
  // After an exchange: keeps it, or closes it where it cannot be used again.
  void Put(std::unique_ptr<UpstreamLink> link, const PoolLimits& limits);

  void Clear();
  const Gauge& idle() const { return idle_count_; }
  const Gauge& links() const { return link_count_; }

 private:
  friend struct UpstreamLink;
  struct Shelf {
    ListNode idle;  // of UpstreamLink, the one that idled longest first
    size_t idle_count = 0;
    size_t links = 0;  // in use and idle
  };
  struct SweepTimer : Timer {
    UpstreamPool* pool = nullptr;
  };
  static constexpr uint64_t kSweepMs = 1000;

  void Drop(UpstreamLink& idle);
  void Unshelve(UpstreamLink& idle);
  void Forget(UpstreamLink& link);
  void Sweep();

  std::unordered_map<PoolKey, Shelf> shelves_;
  Gauge idle_count_, link_count_;
  PoolLimits limits_;  // of the latest Put; what the sweep goes by
  SweepTimer sweep_;
};

}  // namespace egret
