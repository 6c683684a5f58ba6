#include "source/filters/credential_form.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "source/base/base64.h"
#include "source/base/strings.h"

namespace egret {
namespace {

struct Authorization {
  std::string_view scheme, rest;
};

Authorization Split(std::string_view value) {
  const size_t end = std::min(value.find_first_of(" \t"), value.size());
  return {value.substr(0, end), TrimOws(value.substr(end))};
}

bool IsBasic(const Authorization& value) { return EqualsIgnoreCase(value.scheme, "Basic"); }
bool IsToken(const Authorization& value) {
  return EqualsIgnoreCase(value.scheme, "Bearer") || EqualsIgnoreCase(value.scheme, "token");
}

// -1: none.
int DigitOf(char c) {
  for (const std::string_view digits : {kBase64Digits, kBase64UrlDigits})
    if (const size_t digit = digits.find(c); digit != std::string_view::npos) return static_cast<int>(digit);
  return -1;
}

}  // namespace

SecretText FillCredential(std::string_view value, std::string_view placeholder, std::string_view secret,
                          const CredentialForms& forms) {
  if (value == placeholder) return SecretText(std::string(forms.alone ? secret : ""));
  const Authorization split = Split(value);
  if (forms.token && IsToken(split) && split.rest == placeholder) return SecretText(Cat(split.scheme, ' ', secret));
  const std::optional<std::string> pair = forms.basic && IsBasic(split) ? FromBase64(split.rest) : std::nullopt;
  const size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos || std::string_view(*pair).substr(colon + 1) != placeholder)
    return SecretText(std::string());
  const SecretText filled(Cat(forms.basic_user.empty() ? pair->substr(0, colon) : forms.basic_user, ':', secret));
  return SecretText(Cat("Basic ", Base64(filled.text())));
}

std::string InsideBasic(std::string_view value) {
  const Authorization split = Split(value);
  std::string out;
  if (!IsBasic(split)) return out;
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : split.rest) {
    const int digit = DigitOf(c);
    if (digit < 0) continue;
    bits = bits << 6u | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xffu);
  }
  return out;
}

}  // namespace egret
