#include "source/http/serialize.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "source/base/strings.h"
#include "source/base/text_writer.h"
#include "source/http/field_value.h"

namespace egret {
namespace {

// One word of a start line.
bool IsWord(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// A known name is a token, whoever wrote it.
bool FieldsAreSafe(const Head& head) {
  return std::all_of(head.fields().begin(), head.fields().end(), [](const Field& field) {
    return (field.known != 0 || IsToken(field.name)) && IsFieldValue(field.value);
  });
}

constexpr std::string_view kLineEnd = "\r\n";

void PutField(TextWriter& out, std::string_view name, std::string_view value) {
  char* at = out.Room(name.size() + value.size() + 4);
  at = std::copy(name.begin(), name.end(), at);
  *at++ = ':';
  *at++ = ' ';
  at = std::copy(value.begin(), value.end(), at);
  *at++ = '\r';
  *at++ = '\n';
  out.WrittenTo(at);
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

void PutConnection(TextWriter& out, const Head& head, std::string_view keep_or_close, bool request) {
  std::string options(keep_or_close);
  const auto add = [&](FieldName name) {
    if (head.Find(name) == nullptr) return;
    options.append(options.empty() ? "" : ", ").append(TextOf(name));
  };
  add(FieldName::kUpgrade);
  if (request) add(FieldName::kTe);
  if (!options.empty()) PutField(out, TextOf(FieldName::kConnection), options);
}

void PutRest(TextWriter& out, const Head& head, const WireFraming& wire, bool request) {
  // Routing information first (RFC 9110 7.2).
  const Field* const host = request ? head.Find(FieldName::kHost) : nullptr;
  if (host != nullptr) PutField(out, host->name, host->value);
  for (const Field& field : head.fields())
    if (&field != host && !IsWrittenByCodec(field, wire)) PutField(out, field.name, field.value);
  if (wire.framing.kind == Framing::kLength) {
    out.Put(std::string_view("Content-Length: "), wire.framing.length, kLineEnd);
  } else if (wire.framing.kind == Framing::kChunked) {
    PutField(out, TextOf(FieldName::kTransferEncoding), "chunked");
  }
  PutConnection(out, head, wire.keep_or_close, request);
  out.Put(kLineEnd);
}

void PutTarget(TextWriter& out, const Head& head) {
  switch (head.form) {
    case TargetForm::kAuthority:
      out.Put(head.authority);
      return;
    case TargetForm::kAbsolute:
      out.Put(head.scheme, std::string_view("://"), head.authority);
      if (head.path != "*") out.Put(head.path);  // OPTIONS of the whole server (RFC 9112 3.2.4)
      return;
    case TargetForm::kOrigin:
    case TargetForm::kAsterisk:
      out.Put(head.path);
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
  TextWriter text(out);
  text.Put(head.method, ' ');
  PutTarget(text, head);
  text.Put(std::string_view(" HTTP/1.1\r\n"));
  PutRest(text, head, wire, /*request=*/true);
  return true;
}

bool AppendResponseHead(std::string& out, const Head& head, const WireFraming& wire) {
  if (head.status < 100 || head.status > 999 || !IsFieldValue(head.reason) || !FieldsAreSafe(head)) return false;
  TextWriter text(out);
  text.Put(std::string_view("HTTP/1.1 "), head.status, ' ');
  text.Put(head.reason.empty() ? ReasonOf(head.status) : head.reason, kLineEnd);
  PutRest(text, head, wire, /*request=*/false);
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
      if (IsToken(name) && IsFieldValue(value)) Append(out, name, ": ", value, kLineEnd);
  }
  out.append("\r\n");
}

}  // namespace egret
