#include "source/auth/credentials.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "source/base/base64.h"
#include "source/base/strings.h"

namespace egret {
namespace {

// token68 (RFC 9110 11.2), as which both schemes write what they carry.
bool IsToken68(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return IsAsciiLetter(c) || IsAsciiDigit(c) || std::string_view("-._~+/").find(c) != std::string_view::npos;
  });
}

bool IsControl(char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }

}  // namespace

Credentials Credentials::ParseBasic(std::string_view encoded) {
  std::optional<std::string> text = FromBase64(encoded);
  const size_t colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos || std::any_of(text->begin(), text->end(), IsControl)) return {Scheme::kMalformed, {}};
  return {Scheme::kBasic, std::move(*text), colon};
}

Credentials Credentials::Parse(std::string_view field) {
  if (field.size() > kMostBytes) return {Scheme::kMalformed, {}};
  std::string_view rest = TrimOws(field);
  const std::string_view scheme = SplitFirst(rest, ' ');
  const std::string_view value = TrimOws(rest);
  const bool basic = EqualsIgnoreCase(scheme, "Basic");
  if (!basic && !EqualsIgnoreCase(scheme, "Bearer")) return {Scheme::kOther, {}};
  if (!IsToken68(value)) return {Scheme::kMalformed, {}};
  return basic ? ParseBasic(value) : Credentials(Scheme::kBearer, std::string(value));
}

}  // namespace egret
