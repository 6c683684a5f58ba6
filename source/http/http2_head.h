// Heads of HTTP/2 (RFC 9113 8.2, 8.3) and ours, turned into one another. No waiting, no frames. nghttp2 has looked at
// what it knows of before: the set and order of pseudo-fields, lower case, connection-specific fields, content-length
// against DATA. What it lets pass and should not be is refused here.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/failure.h"
#include "source/http/body.h"
#include "source/http/head.h"
#include "source/http/http2_limits.h"

namespace egret {

// Collects one field section as it is decoded.
class Http2HeadReader {
 public:
  enum class Kind : uint8_t { kRequest, kResponse, kTrailers };

  Http2HeadReader(Kind kind, const Http2Limits& limits) : kind_(kind), limits_(limits) {}

  // Copies it, unless the section is larger than the limits by now.
  void Take(std::string_view name, std::string_view value);

  // The section is whole: what becomes of it.
  struct Verdict {
    bool malformed = false;          // RFC 9113 8.1.1: the stream is reset
    Fault fault = Fault::kNone;      // of a request: to be answered with this
    std::optional<uint64_t> length;  // content-length
  };
  Verdict FinishRequest();
  Verdict FinishResponse();
  // False: too large.
  bool FinishTrailers() const { return size_ <= limits_.trailer_bytes; }

  // After Finish*.
  Head TakeHead() { return std::move(head_); }
  Trailers TakeTrailers() { return std::move(trailers_); }
  // What is known, whole or not.
  const Head& head() const { return head_; }

 private:
  void TakePseudo(std::string_view name, std::string_view value);
  void JoinCookies();
  bool SettleAuthority();
  Fault SettleTarget();

  Kind kind_;
  const Http2Limits& limits_;
  Head head_;
  Trailers trailers_;
  std::vector<std::string_view> crumbs_;  // of Cookie (RFC 9113 8.2.3)
  size_t size_ = 0;
  size_t fields_ = 0;
};

// A field section to be sent. Its text must stay until nghttp2 has copied it.
class Http2Fields {
 public:
  // False, where a part of the head is no HTTP/2 or could be taken for something else: a bug of ours, never sent.
  // `length`: content-length; the head's own is left out unless `keep_length`.
  [[nodiscard]] bool SetRequest(const Head& head, std::optional<uint64_t> length);
  [[nodiscard]] bool SetResponse(const Head& head, std::optional<uint64_t> length, bool keep_length);
  // Those that may not be trailers are left out.
  void SetTrailers(const Trailers& trailers);

  const nghttp2_nv* data() const { return fields_.data(); }
  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }

 private:
  void Begin(size_t fields, size_t name_bytes);
  std::string_view Lower(std::string_view name);
  void Add(std::string_view name, std::string_view value, bool secret = false);
  bool AddHeadFields(const Head& head, bool keep_length);
  void AddLength(uint64_t length);

  std::string text_;  // lower-cased names and numbers; never grows beyond what Begin() reserved
  std::vector<nghttp2_nv> fields_;
};

}  // namespace egret
