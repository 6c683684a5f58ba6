#include "source/http/head_scanner.h"

#include "source/base/strings.h"
#include "source/http/field_value.h"

namespace egret {
namespace {

// "HTTP/d.d" and nothing else.
bool IsVersion(std::string_view text) {
  return text.size() == 8 && text.starts_with("HTTP/") && IsAsciiDigit(text[5]) && text[6] == '.' &&
         IsAsciiDigit(text[7]);
}

bool IsSpokenVersion(std::string_view text) { return text == "HTTP/1.1" || text == "HTTP/1.0"; }

Fault CheckRequestLine(std::string_view line) {
  const std::string_view method = SplitFirst(line, ' ');
  const std::string_view target = SplitFirst(line, ' ');
  if (!IsToken(method) || target.empty() || !IsVersion(line)) return Fault::kHttpSyntax;
  if (IsSpokenVersion(line)) return Fault::kNone;
  return method == "PRI" && line == "HTTP/2.0" ? Fault::kHttp2Preface : Fault::kHttpVersion;
}

// The reason may be missing, and the space before it too.
Fault CheckStatusLine(std::string_view line) {
  constexpr size_t kStatus = 9, kReason = 12;
  if (line.size() < kReason || !IsSpokenVersion(line.substr(0, 8)) || line[8] != ' ') return Fault::kHttpSyntax;
  for (size_t i = kStatus; i < kReason; ++i)
    if (!IsAsciiDigit(line[i])) return Fault::kHttpSyntax;
  if (line[kStatus] == '0' || (line.size() > kReason && line[kReason] != ' ')) return Fault::kHttpSyntax;
  return Fault::kNone;
}

}  // namespace

HeadScanner::Verdict HeadScanner::Scan(std::string_view received) {
  while (fault_ == Fault::kNone && !complete_ && at_ < received.size()) {
    if (after_cr_) {
      if (const Fault fault = PastLimit(received, at_); fault != Fault::kNone) return Refuse(fault);
      if (received[at_] != '\n') return Refuse(Fault::kHttpBadCharacter);  // a bare CR
      after_cr_ = false;
      ++at_;
      const Fault fault = EndLine(received.substr(line_, at_ - 2 - line_));
      if (fault != Fault::kNone) return Refuse(fault);
      line_ = at_;
      continue;
    }
    at_ += CountFieldBytes(received.substr(at_));
    if (const Fault fault = PastLimit(received, at_); fault != Fault::kNone) return Refuse(fault);
    if (at_ == received.size()) break;
    if (received[at_] != '\r') return Refuse(Fault::kHttpBadCharacter);  // a bare LF among them
    after_cr_ = true;
    ++at_;
  }
  if (fault_ != Fault::kNone) return Verdict::kRefused;
  return complete_ ? Verdict::kComplete : Verdict::kMore;
}

HeadScanner::Verdict HeadScanner::Refuse(Fault fault) {
  fault_ = kind_ == Kind::kTrailers ? Fault::kHttpTrailer : fault;
  return Verdict::kRefused;
}

// Of the limits, the one that the bytes up to `position` break first, that byte itself counting if it is there.
Fault HeadScanner::PastLimit(std::string_view received, size_t position) const {
  if (position < no_limit_before_) return Fault::kNone;
  const size_t seen = position < received.size() ? position + 1 : position;
  const bool head_too_large = seen - begin_ > limits_.bytes;
  if (!started_ && kind_ == Kind::kRequest && position - line_ > limits_.target) {
    std::string_view line = received.substr(line_, position - line_);
    const std::string_view method = SplitFirst(line, ' ');
    const size_t target_limit = method.size() + 1 + limits_.target;  // where the target must have ended
    const bool first = target_limit < limits_.bytes;
    if (SplitFirst(line, ' ').size() > limits_.target && first) return Fault::kHttpUriTooLong;
  }
  return head_too_large ? Fault::kHttpHeaderTooLarge : Fault::kNone;
}

Fault HeadScanner::EndLine(std::string_view line) {
  if (!started_ && kind_ != Kind::kTrailers) {
    if (line.empty()) {
      // RFC 9112 2.2: some clients send one too many behind a body.
      if (kind_ != Kind::kRequest || begin_ != 0) return Fault::kHttpSyntax;
      begin_ = at_;
      return Fault::kNone;
    }
    started_ = true;
    return kind_ == Kind::kRequest ? CheckRequestLine(line) : CheckStatusLine(line);
  }
  if (!line.empty()) return CheckField(line);
  complete_ = true;
  return Fault::kNone;
}

Fault HeadScanner::CheckField(std::string_view line) {
  if (++fields_ > limits_.fields) return Fault::kHttpTooManyFields;
  const size_t name_bytes = CountTokenBytes(line);
  if (name_bytes > 0 && name_bytes < line.size() && line[name_bytes] == ':') return Fault::kNone;
  if (line.front() == ' ' || line.front() == '\t') return Fault::kHttpObsFold;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return Fault::kHttpSyntax;
  const char last = line[colon - 1];
  return last == ' ' || last == '\t' ? Fault::kHttpSpaceBeforeColon : Fault::kHttpSyntax;
}

}  // namespace egret
