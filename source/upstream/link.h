// Connections to origins and parent proxies, as the pool keeps them. Members are declared in the order in which they
// must outlive each other: the codec borrows the stream.
#pragma once

#include <cstdint>
#include <memory>

#include "source/base/ip.h"
#include "source/base/list.h"
#include "source/http/http1_client.h"
#include "source/http/http2_client.h"
#include "source/io/stream.h"
#include "source/upstream/pool_place.h"

namespace egret {

// One request at a time: whoever uses it owns it, the pool while it idles.
struct Http1Link : ListNode {
  struct Age : ListNode {
    Http1Link* link = nullptr;
  };

  Http1Link(PoolPlace taken, std::unique_ptr<Stream> dialled, Endpoint to, const Http1ClientLimits& with);

  const PoolKey& key() const { return place.key(); }
  // Nothing came, and it did not end. An origin that closes, or speaks unasked, opens the read gate; one read tells.
  bool StillQuiet();

  PoolPlace place;
  std::unique_ptr<Stream> stream;
  Endpoint peer;
  Http1ClientLimits limits;  // its own: a link outlives the config that it was made under
  Http1Client client;
  uint64_t born_ms;
  uint64_t idle_since_ms = 0;
  Age age;  // its place among all idle links, whatever their key
};

// Many requests at once: the pool owns it until it ends.
struct Http2Link : ListNode {
  Http2Link(PoolPlace taken, std::unique_ptr<Stream> dialled, Endpoint to, const Http2Limits& with);
  ~Http2Link() { Unlink(); }
  Http2Link(const Http2Link&) = delete;
  Http2Link& operator=(const Http2Link&) = delete;

  const PoolKey& key() const { return place.key(); }
  bool HasRoom() const { return !client.over() && client.CanOpen(); }

  PoolPlace place;
  std::unique_ptr<Stream> stream;
  Endpoint peer;
  Http2Limits limits;
  Http2Client client;
};

}  // namespace egret
