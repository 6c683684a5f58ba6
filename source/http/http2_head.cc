#include "source/http/http2_head.h"

#include <algorithm>
#include <span>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/http/credential_field.h"
#include "source/http/field_value.h"
#include "source/http/target.h"
#include "source/http/websocket.h"

namespace egret {
namespace {

constexpr size_t kFieldOverhead = 32;  // RFC 9113 6.5.2
constexpr size_t kMaxTrailers = 64;
constexpr size_t kNumberBytes = 24;
constexpr size_t kOwnFields = 6;  // pseudo-header fields and content-length

bool Is(const Field& field, FieldName name) { return field.known == static_cast<uint8_t>(name); }

// RFC 9113 8.2.2: of no meaning in HTTP/2. (Of TE, `trailers` may stay.)
bool IsConnectionSpecific(const Field& field) {
  switch (static_cast<FieldName>(field.known)) {
    case FieldName::kConnection:
    case FieldName::kKeepAlive:
    case FieldName::kProxyConnection:
    case FieldName::kTransferEncoding:
    case FieldName::kUpgrade:
    case FieldName::kHttp2Settings:
      return true;
    case FieldName::kTe:
      return !EqualsIgnoreCase(field.value, "trailers");
    default:
      return false;
  }
}

// Never to be put into a compression table (RFC 7541 7.1.3).
bool IsSecret(const Field& field) { return Is(field, FieldName::kProxyAuthorization) || IsCredentialField(field.name); }

nghttp2_nv MakeField(std::string_view name, std::string_view value, bool secret) {
  const auto bytes = [](std::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  const int flags = secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
  return {bytes(name), bytes(value), name.size(), value.size(), static_cast<uint8_t>(flags)};
}

}  // namespace

void Http2HeadReader::Take(std::string_view name, std::string_view value) {
  value = TrimOws(value);
  const size_t limit = kind_ == Kind::kTrailers ? limits_.trailer_bytes : limits_.head_bytes;
  const size_t most = kind_ == Kind::kTrailers ? kMaxTrailers : limits_.fields;
  size_ += name.size() + value.size() + kFieldOverhead;
  const bool crumb = name == "cookie" && !crumbs_.empty();
  if (!crumb && !name.starts_with(':')) ++fields_;
  if (size_ > limit || fields_ > most) return;
  if (kind_ == Kind::kTrailers) {
    if (MayBeTrailer(name)) trailers_.Add(name, value);
  } else if (name.starts_with(':')) {
    TakePseudo(name, value);
  } else if (name == "cookie") {
    crumbs_.push_back(head_.Keep(value));
  } else {
    head_.Add(name, value);
  }
}

void Http2HeadReader::TakePseudo(std::string_view name, std::string_view value) {
  if (name == ":method") {
    head_.method = head_.Keep(value);
  } else if (name == ":scheme") {
    head_.scheme = EqualsIgnoreCase(value, "http")    ? "http"
                   : EqualsIgnoreCase(value, "https") ? "https"
                                                      : head_.Keep(value);
  } else if (name == ":authority") {
    head_.authority = head_.Keep(value);
  } else if (name == ":path") {
    head_.path = head_.Keep(value);
  } else if (name == ":protocol") {
    head_.protocol = head_.Keep(value);
  } else if (name == ":status") {
    head_.status = ParseDecimal<uint16_t>(value).value_or(0);
  }
}

void Http2HeadReader::JoinCookies() {
  if (crumbs_.empty()) return;
  if (crumbs_.size() == 1) return head_.AddKept("cookie", crumbs_.front());
  std::string joined;
  for (const std::string_view crumb : crumbs_) Append(joined, joined.empty() ? "" : "; ", crumb);
  head_.Add("cookie", joined);
}

// One authority, however it was said: two that differ would be two requests to two readers.
bool Http2HeadReader::SettleAuthority() {
  if (head_.Count(FieldName::kHost) > 1) return false;
  const Field* const host = head_.Find(FieldName::kHost);
  if (host != nullptr && !IsPlainAuthority(host->value)) return false;
  if (head_.authority.empty() && host != nullptr && head_.method != "CONNECT") head_.authority = host->value;
  if (host != nullptr) return EqualsIgnoreCase(host->value, head_.authority);
  head_.Add(FieldName::kHost, head_.authority);
  return true;
}

Fault Http2HeadReader::SettleTarget() {
  const bool tunnel = head_.method == "CONNECT" && head_.protocol.empty();
  if (tunnel) {
    head_.form = TargetForm::kAuthority;
    const Result<RequestTarget, Fault> target = ParseTarget(head_.method, head_.authority);
    return target ? Fault::kNone : target.error();
  }
  if (!head_.protocol.empty() && !EqualsIgnoreCase(head_.protocol, kWebSocket)) return Fault::kHttp2Connect;
  // As an absolute-form would say it, with an authority of its own.
  head_.form = TargetForm::kAbsolute;
  if (!IsPlainAuthority(head_.authority)) return Fault::kHttpTarget;
  if (head_.path == "*") return head_.method == "OPTIONS" ? Fault::kNone : Fault::kHttpTarget;
  const Result<RequestTarget, Fault> target = ParseTarget("GET", head_.path);
  return target && target->form == TargetForm::kOrigin ? Fault::kNone : Fault::kHttpTarget;
}

Http2HeadReader::Verdict Http2HeadReader::FinishRequest() {
  Verdict verdict;
  head_.version = Version::kHttp2;
  if (size_ > limits_.head_bytes) verdict.fault = Fault::kHttpHeaderTooLarge;
  if (fields_ > limits_.fields) verdict.fault = Fault::kHttpTooManyFields;
  if (head_.path.size() > limits_.target_bytes) verdict.fault = Fault::kHttpUriTooLong;
  if (verdict.fault != Fault::kNone) return verdict;
  JoinCookies();
  if (const Field* length = head_.Find(FieldName::kContentLength))
    verdict.length = ParseDecimal<uint64_t>(length->value);
  if (head_.method == "CONNECT" && verdict.length.value_or(0) != 0) verdict.malformed = true;
  if (!SettleAuthority()) verdict.malformed = true;
  verdict.fault = SettleTarget();
  return verdict;
}

Http2HeadReader::Verdict Http2HeadReader::FinishResponse() {
  Verdict verdict;
  head_.version = Version::kHttp2;
  if (size_ > limits_.head_bytes || fields_ > limits_.fields) verdict.fault = Fault::kUpstreamHeaderTooLarge;
  JoinCookies();
  if (const Field* length = head_.Find(FieldName::kContentLength))
    verdict.length = ParseDecimal<uint64_t>(length->value);
  if (head_.status < 100 || head_.status == 101 || head_.status > 999) verdict.malformed = true;
  return verdict;
}

void Http2Fields::Begin(size_t fields, size_t name_bytes) {
  text_.clear();
  text_.reserve(name_bytes + kNumberBytes);
  fields_.clear();
  fields_.reserve(fields + kOwnFields);
}

std::string_view Http2Fields::Lower(std::string_view name) {
  const size_t at = text_.size();
  CHECK(at + name.size() <= text_.capacity());
  text_.append(name);
  const std::span<char> lowered(text_.data() + at, name.size());
  for (char& c : lowered) c = AsciiLower(c);
  return {lowered.data(), lowered.size()};
}

void Http2Fields::Add(std::string_view name, std::string_view value, bool secret) {
  fields_.push_back(MakeField(name, value, secret));
}

void Http2Fields::AddLength(uint64_t length) {
  const size_t at = text_.size();
  Append(text_, length);
  Add("content-length", std::string_view(text_).substr(at));
}

bool Http2Fields::AddHeadFields(const Head& head, bool keep_length) {
  for (const Field& field : head.fields()) {
    if (!IsToken(field.name) || !IsFieldValue(field.value)) return false;
    if (IsConnectionSpecific(field) || Is(field, FieldName::kHost)) continue;
    if (Is(field, FieldName::kContentLength) && !keep_length) continue;
    Add(Lower(field.name), field.value, IsSecret(field));
  }
  return true;
}

namespace {

size_t NameBytes(const Head& head) {
  size_t bytes = 0;
  for (const Field& field : head.fields()) bytes += field.name.size();
  return bytes;
}

}  // namespace

bool Http2Fields::SetRequest(const Head& head, std::optional<uint64_t> length) {
  Begin(head.fields().size(), NameBytes(head));
  const bool connect = head.method == "CONNECT";
  const bool tunnel = connect && head.protocol.empty();
  std::string_view authority = head.authority;
  if (const Field* host = head.Find(FieldName::kHost); host != nullptr && !tunnel) authority = host->value;
  if (!IsToken(head.method) || !IsFieldValue(authority) || !IsFieldValue(head.path)) return false;
  if (!tunnel && (head.scheme.empty() || head.path.empty())) return false;
  Add(":method", head.method);
  if (!tunnel) Add(":scheme", head.scheme);
  Add(":authority", authority);
  if (!tunnel) Add(":path", head.path);
  if (!head.protocol.empty()) {
    if (!connect || !IsToken(head.protocol)) return false;
    Add(":protocol", head.protocol);
  }
  if (length) AddLength(*length);
  return AddHeadFields(head, false);
}

bool Http2Fields::SetResponse(const Head& head, std::optional<uint64_t> length, bool keep_length) {
  static constexpr int kLowest = 100, kHighest = 999;
  if (head.status < kLowest || head.status > kHighest || head.status == 101) return false;
  Begin(head.fields().size(), NameBytes(head));
  Append(text_, head.status);
  Add(":status", text_);
  if (length) AddLength(*length);
  return AddHeadFields(head, keep_length);
}

void Http2Fields::SetTrailers(const Trailers& trailers) {
  size_t bytes = 0;
  for (const auto& [name, value] : trailers.fields()) bytes += name.size();
  Begin(trailers.fields().size(), bytes);
  for (const auto& [name, value] : trailers.fields())
    if (MayBeTrailer(name) && IsToken(name) && IsFieldValue(value)) Add(Lower(name), value);
}

}  // namespace egret
