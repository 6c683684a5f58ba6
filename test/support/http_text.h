// HTTP/1 as a test reads it off a wire: one message from the front of some bytes, with a parser of its own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace egret {

enum class HttpKind {
  kRequest,
  kResponse,
  kHeadResponse,     // of which no content follows, whatever the head says
  kConnectResponse,  // the same where it is a 2xx
};

struct HttpText {
  std::string start;                // the first line
  std::vector<std::string> fields;  // "Name: value", as received
  std::string body;                 // without the chunks' framing; maybe cut short
  std::vector<std::string> trailers;
  size_t size = 0;         // bytes of it
  bool has_head = false;   // the whole head is there
  bool complete = false;   // ... and all of the content
  bool until_end = false;  // only the end of the stream ends it

  int status() const;                                   // 0: no status line
  std::string_view Field(std::string_view name) const;  // the first one's value; empty: none
};

HttpText ReadHttp(std::string_view bytes, HttpKind kind);

}  // namespace egret
