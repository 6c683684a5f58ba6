// Header fields that are credentials, by the names that common APIs give them.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "source/base/strings.h"

namespace egret {

inline constexpr std::array<std::string_view, 8> kCredentialFields = {
    "authorization",        "x-api-key",      "api-key",      "private-token",
    "x-amz-security-token", "x-goog-api-key", "x-auth-token", "x-vault-token"};

// Cookies are credentials, too, but not such as these: they are many, and hardly any of them is one.
inline bool IsCredentialField(std::string_view name) {
  return std::any_of(kCredentialFields.begin(), kCredentialFields.end(),
                     [name](std::string_view known) { return EqualsIgnoreCase(name, known); });
}

}  // namespace egret
