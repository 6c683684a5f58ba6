// Connections to origins and parent proxies, as the pool keeps them. Members are declared in the order in which they
// must outlive each other: the codec borrows the stream.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "source/base/ip.h"
#include "source/base/list.h"
#include "source/http/http1_client.h"
#include "source/http/http2_client.h"
#include "source/io/stream.h"
#include "source/tls/tls_stream.h"
#include "source/upstream/dial_turns.h"
#include "source/upstream/pool_place.h"
#include "source/upstream/tls_handshake.h"

namespace egret {

// A connection that nobody has asked anything of yet.
struct NewLink {
  PoolPlace place;
  std::unique_ptr<Stream> stream;
  Endpoint peer;
  const TlsStream* tls = nullptr;     // the same stream, where it is TLS
  std::optional<DialTurn> turn = {};  // that of its key, where others may wait for it
  bool stood = false;                 // it was not made for the request that it gets, and may have ended since
};

// How a connection's TLS has ended, where that was not in order: fault and detail.
TlsOutcome EndOf(const TlsStream* tls);

// One request at a time: whoever uses it owns it, the pool while it idles.
struct Http1Link : ListNode {
  struct Age : ListNode {
    Http1Link* link = nullptr;
  };

  Http1Link(NewLink made, const Http1ClientLimits& with);

  const PoolKey& key() const { return place.key(); }
  // Nothing came, and it did not end. An origin that closes, or speaks unasked, opens the read gate; one read tells.
  bool StillQuiet();

  PoolPlace place;
  std::unique_ptr<Stream> stream;
  Endpoint peer;
  const TlsStream* tls;
  Http1ClientLimits limits;  // its own: a link outlives the config that it was made under
  Http1Client client;
  uint64_t born_ms;
  uint64_t idle_since_ms = 0;
  Age age;  // its place among all idle links, whatever their key
};

// Many requests at once: the pool owns it until it ends.
struct Http2Link : ListNode {
  Http2Link(NewLink made, const Http2Limits& with, Http2LimitHits& hits);
  ~Http2Link() { Unlink(); }
  Http2Link(const Http2Link&) = delete;
  Http2Link& operator=(const Http2Link&) = delete;

  const PoolKey& key() const { return place.key(); }
  // Before its SETTINGS have come nobody knows how many requests a peer takes at once; one may be sent (RFC 9113 3.4).
  bool HasRoom() const { return !client.over() && client.CanOpen() && (client.ready() || client.streams() == 0); }

  PoolPlace place;
  std::unique_ptr<Stream> stream;
  Endpoint peer;
  const TlsStream* tls;
  std::shared_ptr<TlsOutcome> tls_end = std::make_shared<TlsOutcome>();  // for its requests, which may outlive it
  std::optional<DialTurn> turn;                                          // until its SETTINGS have come
  const uint64_t number;                                                 // of this worker's, rising
  bool asked = false;                                                    // something was asked on it
  Http2Limits limits;
  Http2Client client;
};

}  // namespace egret
