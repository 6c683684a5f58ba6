// One stream of an HTTP/2 connection: what has come and was not taken yet (inbox), what is to go and found no room yet
// (outbox). It has two owners: the session, until both sides of the stream have ended, and a task, until it lets go.
// The last one frees it. nghttp2's callbacks write to it and open its gates; tasks read it and ask the session.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string_view>

#include "source/base/failure.h"
#include "source/base/list.h"
#include "source/event/loop.h"
#include "source/event/task.h"
#include "source/http/body.h"
#include "source/http/byte_queue.h"
#include "source/http/head.h"
#include "source/http/http2_head.h"
#include "source/io/stream.h"

namespace egret {

class Http2Session;

// RFC 9113 7.
enum class Http2Code : uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kFlowControlError = 3,
  kSettingsTimeout = 4,
  kStreamClosed = 5,
  kFrameSizeError = 6,
  kRefusedStream = 7,
  kCancel = 8,
  kCompressionError = 9,
  kConnectError = 10,
  kEnhanceYourCalm = 11,
};

struct Http2Stream : ListNode {
  struct Received {
    Head head;
    std::optional<uint64_t> length;
    bool ended = false;          // no content follows
    Fault fault = Fault::kNone;  // to be answered with; or to be reported, of a response
  };

  // Owners.
  Http2Session* session = nullptr;  // null once the connection is gone
  bool held = false;                // by a task, or to be handed to one
  bool handed = false;              // a task has it, or had it
  bool open = true;                 // nghttp2 knows it
  int32_t id = -1;

  // Received.
  std::unique_ptr<Http2HeadReader> reading;  // while a field section comes
  std::list<Received> heads;                 // whole ones that nobody has taken: a request; responses
  bool final_head = false;                   // the request, the final response came
  int interim = 0;                           // responses before the final one
  bool connect = false;                      // CONNECT, ordinary or extended: no field section may follow the 2xx
  ByteQueue inbox;
  uint64_t unread_since_ms = 0;  // when the inbox was last taken from, or began to fill
  bool discarded = false;        // the inbox is void
  bool ended = false;            // END_STREAM came
  Trailers trailers;
  Failure why;             // it was broken off: by a reset, with the connection, by us; then the inbox is void
  bool refused = false;    // ... and the peer says that it did not look at it (RFC 9113 8.7), or speaks no HTTP/2
  bool malformed = false;  // ... by us, since the peer broke a rule
  Gate readable{false};    // a head, content, an end
  Gate gone{false};        // nothing can be delivered any more
  Gate peer_done{false};   // END_STREAM, or gone

  // Sent.
  ByteQueue outbox;
  Trailers send_trailers;
  bool head_put = false;
  bool end_put = false;      // nothing will be put behind
  bool end_sent = false;     // END_STREAM is on its way
  bool counted = false;      // among those that have something in their outbox
  Gate writable{true};       // the outbox has room
  Gate delivered{false};     // END_STREAM was sent, or it will never be
  uint64_t progress_ms = 0;  // when content was last taken, or put where there was none

  uint64_t received_bytes = 0, sent_bytes = 0;  // frames, as they are on the wire
};

// A task's hold on a stream; letting go resets what is not over.
struct Http2LetGo {
  void operator()(Http2Stream* stream) const;
};
using Http2StreamPtr = std::unique_ptr<Http2Stream, Http2LetGo>;

struct Http2BodyFaults {
  Side side;
  Fault timeout;
};

// The content of a message; borrows the stream. `idle_ms`: without a byte; 0: no limit.
std::unique_ptr<Body> MakeHttp2Body(Http2Stream& stream, std::optional<uint64_t> length, uint64_t idle_ms,
                                    Failure timeout);

// Sends content, framed by END_STREAM and checked against `length`: what is ready before the first wait goes out with
// the head. Ends when the last byte is put, with the body's failure, or the stream's. The body's own failure leaves the
// stream as it is.
class Http2Upload {
 public:
  Http2Upload(Http2Stream& stream, std::optional<uint64_t> length) : stream_(stream), left_(length) {}

  // A chunk that was read already.
  Task<Failure> Put(const Chunk& chunk, Body& source);
  // The rest. `stopped` (may be null): set where it ended because the peer takes no more.
  Task<Failure> Rest(Body& body, bool* stopped);
  bool complete() const { return stream_.end_put; }

 private:
  Http2Stream& stream_;
  std::optional<uint64_t> left_;
};

// A CONNECT's stream, both ways, once the 2xx was put. Finish is END_STREAM; Abort, and destruction with bytes unread,
// is RST_STREAM (`broken`: CONNECT_ERROR, or CANCEL for an extended CONNECT); the peer's reset and the loss of the
// connection are ECONNRESET (RFC 9113 8.5, RFC 8441 5).
std::unique_ptr<Stream> MakeHttp2Tunnel(Http2StreamPtr stream, Http2Code broken);

}  // namespace egret
