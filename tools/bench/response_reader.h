// What the load reads of HTTP/1.1: that a response is a 200, and where it ends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "source/base/strings.h"

namespace egret::bench {

// Follows one response: 200, Content-Length, nothing after it; or bytes of a known number.
class ResponseReader {
 public:
  enum class State : uint8_t { kMore, kDone, kBad };

  void Begin(bool has_body) {
    head_.clear();
    in_body_ = closes_ = false;
    has_body_ = has_body;
  }
  void BeginBytes(uint64_t bytes) {
    head_.clear();
    closes_ = false;
    in_body_ = true;
    left_ = bytes;
  }
  // The beginning of what came, for whoever wants to know what was wrong with it.
  std::string_view FirstLine() const {
    return std::string_view(head_).substr(0, std::min(head_.find('\r'), size_t{80}));
  }
  // The proxy will close after this response.
  bool closes() const { return closes_; }
  State Take(std::string_view bytes) {
    if (in_body_) return TakeBody(bytes.size());
    const size_t before = head_.size();
    head_.append(bytes.substr(0, 8192));
    const size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) return head_.size() > 8192 ? State::kBad : State::kMore;
    if (!head_.starts_with("HTTP/1.") || std::string_view(head_).substr(8, 5) != " 200 ") return State::kBad;
    length_.reset();
    ReadFields(std::string_view(head_).substr(0, end + 2));
    if (has_body_ && !length_) return State::kBad;
    left_ = has_body_ ? *length_ : 0;
    in_body_ = true;
    return TakeBody(bytes.size() - (end + 4 - before));
  }

 private:
  State TakeBody(size_t bytes) {
    if (bytes > left_) return State::kBad;
    left_ -= bytes;
    return left_ == 0 ? State::kDone : State::kMore;
  }
  void ReadFields(std::string_view head) {
    while (!head.empty()) {
      std::string_view value = SplitFirst(head, '\n');
      const std::string_view name = SplitFirst(value, ':');
      while (!value.empty() && value.back() == '\r') value.remove_suffix(1);
      value = TrimOws(value);
      if (EqualsIgnoreCase(name, "content-length")) length_ = ParseDecimal<uint64_t>(value);
      if (EqualsIgnoreCase(name, "connection") && EqualsIgnoreCase(value, "close")) closes_ = true;
    }
  }

  std::string head_;
  bool in_body_ = false, has_body_ = true, closes_ = false;
  std::optional<uint64_t> length_;
  uint64_t left_ = 0;
};

}  // namespace egret::bench
