#include "source/http/field_name.h"

#include <algorithm>
#include <array>

#include "source/base/strings.h"

namespace egret {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(FieldName::kCount)> kNames = {
    "",
    "Authorization",
    "Connection",
    "Content-Length",
    "Cookie",
    "Date",
    "Expect",
    "Forwarded",
    "Host",
    "HTTP2-Settings",
    "Keep-Alive",
    "Max-Forwards",
    "Proxy-Authenticate",
    "Proxy-Authentication-Info",
    "Proxy-Authorization",
    "Proxy-Connection",
    "Proxy-Status",
    "Server",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Via",
    "WWW-Authenticate",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
};

constexpr size_t kLongest = 25;
constexpr size_t kPerLength = 4;

// The known names by their length: few share one, so a look-up compares two or three at the most.
constexpr auto kByLength = [] {
  std::array<std::array<uint8_t, kPerLength>, kLongest + 1> table{};
  for (size_t i = 1; i < kNames.size(); ++i) {
    auto& row = table[kNames[i].size()];
    size_t at = 0;
    while (row[at] != 0) ++at;  // past the row's end would not compile
    row[at] = static_cast<uint8_t>(i);
  }
  return table;
}();

}  // namespace

FieldName LookUpFieldName(std::string_view name) {
  if (name.size() > kLongest) return FieldName::kOther;
  for (const uint8_t i : kByLength[name.size()]) {
    if (i == 0) break;
    const std::string_view known = kNames[i];
    if (AsciiLower(name.front()) != AsciiLower(known.front())) continue;
    // Nearly everybody writes it as the RFC does.
    if (name == known || EqualsIgnoreCase(name, known)) return static_cast<FieldName>(i);
  }
  return FieldName::kOther;
}

std::string_view TextOf(FieldName name) { return kNames[static_cast<size_t>(name)]; }

bool IsForProxy(std::string_view name) {
  constexpr std::string_view kPrefix = "proxy-";
  if (EqualsIgnoreCase(name.substr(0, kPrefix.size()), kPrefix)) return true;
  constexpr FieldNames kMore = {FieldName::kContentLength, FieldName::kExpect, FieldName::kHost, FieldName::kTrailer,
                                FieldName::kVia};
  const FieldName known = LookUpFieldName(name);
  return kHopByHop.Has(known) || kMore.Has(known);
}

// All the names that Egret knows are of that kind.
bool MayBeTrailer(std::string_view name) {
  static constexpr auto kForbidden = std::to_array<std::string_view>({
      "Age",
      "Cache-Control",
      "Content-Encoding",
      "Content-Location",
      "Content-Range",
      "Content-Type",
      "Expires",
      "If-Match",
      "If-Modified-Since",
      "If-None-Match",
      "If-Range",
      "If-Unmodified-Since",
      "Location",
      "Pragma",
      "Range",
      "Retry-After",
      "Set-Cookie",
      "Vary",
      "Warning",
  });
  return LookUpFieldName(name) == FieldName::kOther &&
         std::none_of(kForbidden.begin(), kForbidden.end(),
                      [name](std::string_view forbidden) { return EqualsIgnoreCase(name, forbidden); });
}

}  // namespace egret
