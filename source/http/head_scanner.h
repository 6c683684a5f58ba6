// Looks over the bytes of a message head as they arrive, before any parser sees them: finds the head's end, holds it to
// its limits and refuses what parsers are known to read differently (bare CR or LF, control characters, folded lines,
// white space before a colon, empty names). Works byte by byte, so its verdict does not depend on how the bytes were
// cut into reads. Holds offsets only, no text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "source/base/failure.h"

namespace egret {

struct HeadLimits {
  size_t bytes;   // of the head, up to and with the empty line
  size_t fields;  // lines
  size_t target;  // bytes of a request's target
};

class HeadScanner {
 public:
  enum class Kind : uint8_t { kRequest, kResponse, kTrailers };
  enum class Verdict : uint8_t { kMore, kComplete, kRefused };

  HeadScanner(Kind kind, const HeadLimits& limits)
      : limits_(limits),
        no_limit_before_(kind == Kind::kRequest ? std::min(limits.bytes, limits.target) : limits.bytes),
        kind_(kind) {}

  // `received` begins where it began at the first call and may have grown since.
  Verdict Scan(std::string_view received);

  size_t begin() const { return begin_; }  // of the start line: one empty line before a request is skipped
  size_t end() const { return at_; }       // after kComplete: one past the empty line
  size_t fields() const { return fields_; }
  Fault fault() const { return fault_; }  // after kRefused, named as a client's fault

 private:
  Verdict Refuse(Fault fault);
  Fault PastLimit(std::string_view received, size_t position) const;
  Fault EndLine(std::string_view line);
  Fault CheckField(std::string_view line);

  HeadLimits limits_;
  size_t no_limit_before_;
  size_t begin_ = 0;
  size_t line_ = 0;  // where the current line begins
  size_t at_ = 0;    // everything before was looked at
  size_t fields_ = 0;
  Kind kind_;
  Fault fault_ = Fault::kNone;
  bool after_cr_ = false;
  bool started_ = false;  // the start line is complete
  bool complete_ = false;
};

}  // namespace egret
