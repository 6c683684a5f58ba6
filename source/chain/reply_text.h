// What a local reply says, for whoever reads it: plain text, JSON (RFC 9457) or a page.
#pragma once

#include <string>
#include <string_view>

#include "source/http/accept.h"

namespace egret {

// Empty: not told. Views outlive the call only.
struct ReplyText {
  int status = 0;
  std::string_view phrase;    // of the status
  bool refused = false;       // by policy or a guard, on purpose
  std::string_view sentence;  // what is wrong
  std::string message;        // the rule's own, what TLS says, the remedy
  std::string decided_by;     // a sentence
  std::string_view detail;    // the word that the log has for it
  std::string_view policy, rule, stage, reason;
  std::string_view request_id;
};

struct RenderedReply {
  std::string text;
  std::string_view content_type;
};
RenderedReply Render(const ReplyText& reply, TextForm form);

}  // namespace egret
