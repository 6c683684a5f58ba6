#include "source/http/framing.h"

#include <limits>
#include <optional>
#include <string_view>

#include "source/base/strings.h"
#include "source/http/field_value.h"

namespace egret {
namespace {

// One field, one plain number; a list of equal numbers is refused too. Lengths beyond 63 bits overflow elsewhere.
std::optional<uint64_t> PlainLength(const Head& head) {
  if (head.Count(FieldName::kContentLength) != 1) return std::nullopt;
  const auto length = ParseDecimal<uint64_t>(head.Find(FieldName::kContentLength)->value);
  return length && *length <= std::numeric_limits<int64_t>::max() ? length : std::nullopt;
}

bool HasUnknownCoding(const Head& head) {
  bool unknown = false;
  for (const Field& field : head.fields()) {
    if (field.known != static_cast<uint8_t>(FieldName::kTransferEncoding)) continue;
    ForEachElement(field.value,
                   [&](std::string_view coding) { unknown = unknown || !EqualsIgnoreCase(coding, "chunked"); });
  }
  return unknown;
}

// One field that says chunked and nothing else.
bool IsPlainChunked(const Head& head) {
  return head.Count(FieldName::kTransferEncoding) == 1 &&
         EqualsIgnoreCase(head.Find(FieldName::kTransferEncoding)->value, "chunked");
}

bool Says(const Head& head, FieldName name, std::string_view element) {
  if (!head.MayHave({name})) return false;
  for (const Field& field : head.fields())
    if (field.known == static_cast<uint8_t>(name) && HasElement(field.value, element)) return true;
  return false;
}

}  // namespace

Fault RequestFraming(const Head& request, Framing& framing) {
  framing = {};
  const bool connect = request.method == "CONNECT";
  const bool has_length = request.Find(FieldName::kContentLength) != nullptr;
  if (request.Find(FieldName::kTransferEncoding) != nullptr) {
    if (has_length) return Fault::kHttpFraming;
    if (connect) return Fault::kHttpConnectBody;
    if (request.version == Version::kHttp10) return Fault::kHttpTransferEncoding;  // RFC 9112 6.1
    if (HasUnknownCoding(request)) return Fault::kHttpUnknownCoding;
    if (!IsPlainChunked(request)) return Fault::kHttpTransferEncoding;
    framing.kind = Framing::kChunked;
    return Fault::kNone;
  }
  if (!has_length) return Fault::kNone;
  const std::optional<uint64_t> length = PlainLength(request);
  if (!length) return Fault::kHttpContentLength;
  if (*length == 0) return Fault::kNone;  // Java sends it with CONNECT
  if (connect) return Fault::kHttpConnectBody;
  framing = {Framing::kLength, *length};
  return Fault::kNone;
}

Fault ResponseFraming(const Head& response, AnswerTo request, Framing& framing) {
  framing = {};
  const int status = response.status;
  const bool has_length = response.Find(FieldName::kContentLength) != nullptr;
  const bool has_coding = response.Find(FieldName::kTransferEncoding) != nullptr;
  const std::optional<uint64_t> length = PlainLength(response);
  // Also where there is no content: a peer that says such things is not to be trusted with the next request.
  if (has_length && (has_coding || !length)) return Fault::kUpstreamFraming;
  if (has_coding && (response.version == Version::kHttp10 || !IsPlainChunked(response))) return Fault::kUpstreamFraming;
  if (request.head || status < 200 || status == 204 || status == 304) return Fault::kNone;
  if (request.connect && status < 300) return Fault::kNone;
  if (has_coding) {
    framing.kind = Framing::kChunked;
  } else if (!has_length) {
    framing.kind = Framing::kUntilClose;
  } else if (*length > 0) {
    framing = {Framing::kLength, *length};
  }
  return Fault::kNone;
}

bool AllowsKeepAlive(const Head& head) {
  if (Says(head, FieldName::kConnection, "close")) return false;
  if (head.version == Version::kHttp10) return Says(head, FieldName::kConnection, "keep-alive");
  return !Says(head, FieldName::kProxyConnection, "close");
}

}  // namespace egret
