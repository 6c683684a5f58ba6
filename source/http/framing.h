// Where a message's content ends (RFC 9112 6), decided from a complete head. What is ambiguous is refused, also where
// the RFC would let a proxy repair it: two readers of one message must never see two messages.
#pragma once

#include <cstdint>

#include "source/base/failure.h"
#include "source/http/head.h"

namespace egret {

struct Framing {
  enum Kind : uint8_t {
    kNone,        // no content, whatever the fields say
    kLength,      // `length` bytes
    kChunked,     // until the last chunk
    kUntilClose,  // until the stream ends; responses only
  } kind = kNone;
  uint64_t length = 0;
};

// kNone, or the fault to refuse it with. A length of 0 is no content.
Fault RequestFraming(const Head& request, Framing& framing);

// What the request was decides what its response can hold.
struct AnswerTo {
  bool head = false;     // HEAD
  bool connect = false;  // CONNECT
};
// kNone or kUpstreamFraming.
Fault ResponseFraming(const Head& response, AnswerTo request, Framing& framing);

// Whether the peer that sent this head lets the connection be used again (RFC 9112 9.3).
bool AllowsKeepAlive(const Head& head);

}  // namespace egret
