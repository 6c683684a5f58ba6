// Runs a codec over bytes that arrive in given pieces and says how it judged them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/failure.h"
#include "source/event/loop.h"

namespace egret {

struct Verdict {
  Fault fault = Fault::kNone;  // of the head, or else of the content
  std::string head;            // as the codec would write it again; empty where the head was refused
  std::string content;
  std::string trailers;  // "name: value\r\n"
  std::string left;      // unparsed behind the message
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// One request; then the client sends FIN.
Verdict JudgeRequest(Loop& loop, std::span<const std::string_view> pieces);
// The final response to a GET; then the origin sends FIN.
Verdict JudgeResponse(Loop& loop, std::span<const std::string_view> pieces);

}  // namespace egret
