// Heads as HTTP/1.1 text, in one piece. What decides about the connection and where the message ends is written by the
// codec alone: a head's own Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding and Content-Length are left
// out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "source/http/body.h"
#include "source/http/framing.h"
#include "source/http/head.h"

namespace egret {

struct WireFraming {
  Framing framing;                 // kNone and kUntilClose write nothing
  bool keep_length = false;        // the head's own Content-Length stands: answers to HEAD, 304
  std::string_view keep_or_close;  // "close", "keep-alive", or empty
};

// Appends the head with its empty line. Connection also names Upgrade and TE where the head has them. False, and
// nothing appended, where a part of the head could end a line or is no token: a bug of ours, never sent.
[[nodiscard]] bool AppendRequestHead(std::string& out, const Head& head, const WireFraming& wire);
[[nodiscard]] bool AppendResponseHead(std::string& out, const Head& head, const WireFraming& wire);

// "2c\r\n": what stands before a chunk of that size; behind it comes kChunkEnd.
void AppendChunkSize(std::string& out, size_t bytes);
inline constexpr std::string_view kChunkEnd = "\r\n";
// The last chunk with its trailers (may be null).
void AppendLastChunk(std::string& out, const Trailers* trailers);

}  // namespace egret
