// The limits of one HTTP/2 connection, in either role, and the names under which reaching one is counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "source/base/counter.h"

namespace egret {

// What a peer can be cut off for, or turned away.
enum class Http2Limit : uint8_t {
  kStreams,        // one more than may be open at once: refused alone
  kResets,         // streams reset by the peer, or for its faults (CVE-2023-44487, CVE-2025-8671)
  kContinuations,  // a head in too many frames (the family of CVE-2024-27316)
  kHeadBytes,      // a head several times the size of what is answered with 431
  kSettings,
  kPings,
  kEmptyFrames,  // DATA without content
  kPriorities,
  kWindowUpdates,
  kQueuedFrames,   // answers that the peer does not take
  kStalledStream,  // content that the peer gives no window for
  kUnreadStream,   // content that nobody took, where all that is not taken had become too much
  kCount,
};

// How often each was reached: of one thread, read by any.
class Http2LimitHits {
 public:
  void Add(Http2Limit limit) { counts_[static_cast<size_t>(limit)].Add(); }
  uint64_t Read(Http2Limit limit) const { return counts_[static_cast<size_t>(limit)].Read(); }

 private:
  std::array<Counter, static_cast<size_t>(Http2Limit::kCount)> counts_;
};

// So many at once, and so many a second for ever.
struct Http2Rate {
  uint32_t burst;
  uint32_t per_second;
};

struct Http2Limits {
  size_t head_bytes = size_t{64} << 10;    // fields, each with 32 bytes on top (RFC 9113 6.5.2); above: 431
  size_t fields = 100;                     // 431; the crumbs of Cookie are one
  size_t target_bytes = size_t{16} << 10;  // 414
  uint32_t continuations = 32;             // frames after the first of a head
  size_t trailer_bytes = size_t{8} << 10;
  int interim = 16;  // responses before the final one, of an upstream

  uint32_t streams = 100;                          // that the peer may have open; with those still served: twice
  uint32_t stream_window = uint32_t{256} << 10;    // bytes that a stream's reader may be behind
  uint32_t connection_window = uint32_t{1} << 20;  // bytes in flight, of all streams
  size_t inbox_bytes = size_t{1} << 20;    // unread by all readers: above, the connection's window is not renewed
  size_t outbox_bytes = size_t{64} << 10;  // of one stream, waiting for its turn
  bool extended_connect = true;            // offered to clients (RFC 8441)

  Http2Rate resets = {500, 50};
  Http2Rate control_frames = {1000, 100};  // each other kind for itself

  uint64_t preface_ms = 15'000;       // until the peer's SETTINGS
  uint64_t settings_ack_ms = 15'000;  // until it confirms ours
  uint64_t head_ms = 15'000;          // from a head's first frame to its last
  uint64_t idle_ms = 300'000;         // without a stream; 0: no limit
  uint64_t body_ms = 60'000;          // no byte of a body that is waited for; 0: no limit
  uint64_t write_ms = 60'000;         // no byte taken, by the connection or a stream
  uint64_t answer_ms = 300'000;       // no head of the response, in the client role
  uint64_t max_age_ms = 0;            // then new streams are turned away in order; 0: no limit
  uint64_t notice_ms = 1'000;         // between the two GOAWAY of a graceful end: a round trip and more
  uint64_t linger_ms = 2'000;         // for the last frames to be read before the connection is closed
};

}  // namespace egret
