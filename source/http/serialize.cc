#include "source/http/serialize.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "source/base/strings.h"
#include "source/http/field_value.h"

namespace egret {
namespace {

constexpr size_t kRoomForFraming = 128;

// One word of a start line.
bool IsWord(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

bool FieldsAreSafe(const Head& head) {
  return std::all_of(head.fields().begin(), head.fields().end(),
                     [](const Field& field) { return IsToken(field.name) && IsFieldValue(field.value); });
}

size_t SizeOf(const Head& head) {
  size_t size = kRoomForFraming + head.method.size() + head.scheme.size() + head.authority.size() + head.path.size() +
                head.reason.size();
  for (const Field& field : head.fields()) size += field.name.size() + field.value.size() + 4;
  return size;
}

// Appends by pieces of known size: a head is the hot part of every exchange.
void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

bool IsWrittenByCodec(const Field& field, const WireFraming& wire) {
  switch (static_cast<FieldName>(field.known)) {
    case FieldName::kConnection:
    case FieldName::kKeepAlive:
    case FieldName::kProxyConnection:
    case FieldName::kTransferEncoding:
      return true;
    case FieldName::kContentLength:
      return !wire.keep_length;
    default:
      return false;
  }
}

void AppendConnection(std::string& out, const Head& head, std::string_view keep_or_close, bool request) {
  std::string options(keep_or_close);
  const auto add = [&](FieldName name) {
    if (head.Find(name) == nullptr) return;
    options.append(options.empty() ? "" : ", ").append(TextOf(name));
  };
  add(FieldName::kUpgrade);
  if (request) add(FieldName::kTe);
  if (!options.empty()) AppendField(out, TextOf(FieldName::kConnection), options);
}

void AppendRest(std::string& out, const Head& head, const WireFraming& wire, bool request) {
  // Routing information first (RFC 9110 7.2).
  const Field* const host = request ? head.Find(FieldName::kHost) : nullptr;
  if (host != nullptr) AppendField(out, host->name, host->value);
  for (const Field& field : head.fields())
    if (&field != host && !IsWrittenByCodec(field, wire)) AppendField(out, field.name, field.value);
  if (wire.framing.kind == Framing::kLength) {
    Append(out, "Content-Length: ", wire.framing.length, "\r\n");
  } else if (wire.framing.kind == Framing::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  AppendConnection(out, head, wire.keep_or_close, request);
  out.append("\r\n");
}

void AppendTarget(std::string& out, const Head& head) {
  switch (head.form) {
    case TargetForm::kAuthority:
      out.append(head.authority);
      return;
    case TargetForm::kAbsolute:
      out.append(head.scheme).append("://").append(head.authority);
      if (head.path != "*") out.append(head.path);  // OPTIONS of the whole server (RFC 9112 3.2.4)
      return;
    case TargetForm::kOrigin:
    case TargetForm::kAsterisk:
      out.append(head.path);
      return;
  }
}

bool TargetIsSafe(const Head& head) {
  if (!IsWord(head.scheme) || !IsWord(head.authority) || !IsWord(head.path)) return false;
  switch (head.form) {
    case TargetForm::kAuthority:
      return !head.authority.empty();
    case TargetForm::kAbsolute:
      return !head.scheme.empty() && !head.authority.empty();
    case TargetForm::kOrigin:
    case TargetForm::kAsterisk:
      return !head.path.empty();
  }
  return false;
}

constexpr auto kReasons = std::to_array<std::pair<int, std::string_view>>({
    {100, "Continue"},
    {101, "Switching Protocols"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
});

std::string_view ReasonOf(int status) {
  const auto* const found =
      std::find_if(kReasons.begin(), kReasons.end(), [status](const auto& reason) { return reason.first == status; });
  return found == kReasons.end() ? std::string_view() : found->second;
}

}  // namespace

bool AppendRequestHead(std::string& out, const Head& head, const WireFraming& wire) {
  if (!IsToken(head.method) || !TargetIsSafe(head) || !FieldsAreSafe(head)) return false;
  out.reserve(out.size() + SizeOf(head));
  out.append(head.method).append(" ");
  AppendTarget(out, head);
  out.append(" HTTP/1.1\r\n");
  AppendRest(out, head, wire, /*request=*/true);
  return true;
}

bool AppendResponseHead(std::string& out, const Head& head, const WireFraming& wire) {
  if (head.status < 100 || head.status > 999 || !IsFieldValue(head.reason) || !FieldsAreSafe(head)) return false;
  out.reserve(out.size() + SizeOf(head));
  Append(out, "HTTP/1.1 ", head.status, " ", head.reason.empty() ? ReasonOf(head.status) : head.reason, "\r\n");
  AppendRest(out, head, wire, /*request=*/false);
  return true;
}

void AppendChunkSize(std::string& out, size_t bytes) {
  std::array<char, 16> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), bytes, 16);
  out.append(digits.data(), end).append("\r\n");
}

void AppendLastChunk(std::string& out, const Trailers* trailers) {
  out.append("0\r\n");
  if (trailers != nullptr) {
    for (const auto& [name, value] : trailers->fields())
      if (IsToken(name) && IsFieldValue(value)) AppendField(out, name, value);
  }
  out.append("\r\n");
}

}  // namespace egret
