// One connection's place in the count of its key, from before it is dialled until it is closed.
#pragma once

#include <string>
#include <utility>

namespace egret {

// All that makes one link unfit for another's request, as one text: next hop, name and port, protocol.
using PoolKey = std::string;

class UpstreamPool;

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

}  // namespace egret
