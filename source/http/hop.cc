#include "source/http/hop.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <string>
#include <vector>

#include "source/base/strings.h"
#include "source/http/field_value.h"

namespace egret {
namespace {

bool Is(const Field& field, FieldName name) { return field.known == static_cast<uint8_t>(name); }

// Fields that no sender may have an intermediary remove: what frames or routes the message, says who sends it, or what
// proxies before and behind us rely on.
bool IsProtected(std::string_view name) {
  switch (LookUpFieldName(name)) {
    case FieldName::kAuthorization:
    case FieldName::kContentLength:
    case FieldName::kCookie:
    case FieldName::kDate:
    case FieldName::kExpect:
    case FieldName::kForwarded:
    case FieldName::kHost:
    case FieldName::kMaxForwards:
    case FieldName::kProxyStatus:
    case FieldName::kTransferEncoding:
    case FieldName::kVia:
    case FieldName::kWwwAuthenticate:
    case FieldName::kXForwardedFor:
    case FieldName::kXForwardedHost:
    case FieldName::kXForwardedProto:
      return true;
    case FieldName::kOther:
      return EqualsIgnoreCase(name, "Set-Cookie") || EqualsIgnoreCase(name, "Content-Type") ||
             EqualsIgnoreCase(name, "Content-Encoding") || EqualsIgnoreCase(name, "Cache-Control");
    default:
      return false;
  }
}

// Names from Connection that are no hop-by-hop field by themselves; false where one is protected.
bool NamedByConnection(const Head& head, std::vector<std::string_view>& named) {
  bool allowed = true;
  for (const Field& field : head.fields()) {
    if (!Is(field, FieldName::kConnection)) continue;
    ForEachElement(field.value, [&](std::string_view option) {
      if (IsProtected(option)) allowed = false;
      if (!EqualsIgnoreCase(option, "close") && !kHopByHop.Has(LookUpFieldName(option))) named.push_back(option);
    });
  }
  return allowed;
}

bool AcceptsTrailers(const Head& head) {
  for (const Field& field : head.fields())
    if (Is(field, FieldName::kTe) && HasElement(field.value, "trailers")) return true;
  return false;
}

// The next element of a Via list; a comment may hold commas and other comments (RFC 9110 7.6.3).
std::string_view NextVia(std::string_view& list) {
  int depth = 0;
  size_t at = 0;
  for (; at < list.size(); ++at) {
    const char c = list[at];
    if (c == '\\' && depth > 0) ++at;
    if (c == '(') ++depth;
    if (c == ')' && depth > 0) --depth;
    if (c == ',' && depth == 0) break;
  }
  const std::string_view element = TrimOws(list.substr(0, at));
  list.remove_prefix(std::min(list.size(), at + 1));
  return element;
}

// Made once a second.
std::string_view DateNow() {
  static thread_local time_t made_at = 0;
  static thread_local std::array<char, 32> text;
  static thread_local size_t size = 0;
  const time_t now = ::time(nullptr);
  if (now != made_at || size == 0) {
    tm utc{};
    ::gmtime_r(&now, &utc);
    size = ::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    made_at = now;
  }
  return {text.data(), size};
}

}  // namespace

Failure StripHopByHop(Head& head) {
  if (!head.MayHave(kHopByHop)) return {};
  const bool request = head.status == 0;
  std::vector<std::string_view> named;
  if (!NamedByConnection(head, named)) {
    return request ? Failure{Side::kClient, Fault::kHttpConnectionField}
                   : Failure{Side::kUpstream, Fault::kUpstreamMalformed};
  }
  const bool trailers = request && AcceptsTrailers(head);
  head.RemoveIf([&](const Field& field) {
    if (kHopByHop.Has(static_cast<FieldName>(field.known))) return true;
    return std::any_of(named.begin(), named.end(),
                       [&](std::string_view name) { return EqualsIgnoreCase(field.name, name); });
  });
  if (trailers) head.Add(FieldName::kTe, "trailers");
  return {};
}

std::string_view WantedUpgrade(const Head& request) {
  if (!request.protocol.empty()) return request.protocol;
  if (request.version != Version::kHttp11) return {};
  const Field* const upgrade = request.Find(FieldName::kUpgrade);
  if (upgrade == nullptr) return {};
  const bool named = std::any_of(request.fields().begin(), request.fields().end(), [](const Field& field) {
    return Is(field, FieldName::kConnection) && HasElement(field.value, "upgrade");
  });
  if (!named) return {};
  std::string_view first;
  ForEachElement(upgrade->value, [&](std::string_view protocol) {
    if (first.empty()) first = protocol;
  });
  return first;
}

void AddVia(Head& head, std::string_view pseudonym) {
  const std::string_view version = head.version == Version::kHttp2    ? "2 "
                                   : head.version == Version::kHttp10 ? "1.0 "
                                                                      : "1.1 ";
  head.Add(FieldName::kVia, Cat(version, pseudonym));
}

bool ViaHas(const Head& head, std::string_view pseudonym) {
  if (!head.MayHave({FieldName::kVia})) return false;
  for (const Field& field : head.fields()) {
    if (!Is(field, FieldName::kVia)) continue;
    std::string_view list = field.value;
    while (!list.empty()) {
      std::string_view element = NextVia(list);
      SplitFirst(element, ' ');  // the protocol
      element = TrimOws(element);
      if (EqualsIgnoreCase(SplitFirst(element, ' '), pseudonym)) return true;
    }
  }
  return false;
}

void EnsureDate(Head& response) {
  if (response.Find(FieldName::kDate) == nullptr) response.Add(FieldName::kDate, DateNow());
}

}  // namespace egret
