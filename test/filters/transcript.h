// What a client heard, taken apart so that it can be compared: what differs from one run to the next (ids, ports,
// times, whether the connection stays) is taken out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "test/support/http_text.h"
#include "test/support/peer.h"

namespace egret {

struct Transcript {
  std::vector<HttpText> answers;
  std::string tunnel;  // bytes behind a 101 or CONNECT's 200 that are no HTTP

  std::string Summary() const;
};

Transcript Transcribe(const Peer& client, bool head_requests);

// An answer of the proxy's own.
bool IsLocalReply(const HttpText& answer);

// Why `heard` is not what is right, or a beginning of it, or a reply of the proxy's own in the place of an answer;
// empty: all is well. Not one byte of another answer is right.
std::string WrongIn(const Transcript& heard, const Transcript& right);

// Whether an origin heard whole requests of those that it was to hear, in order, and behind them the beginning of one.
bool IsBeginningOfRequests(std::string_view heard, std::string_view right);

// Ports and ids replaced.
std::string Anonymous(std::string text, uint16_t port);

}  // namespace egret
