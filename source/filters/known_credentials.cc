#include "source/filters/known_credentials.h"

#include <algorithm>
#include <array>

#include "source/auth/sigv4_canonical.h"
#include "source/base/strings.h"
#include "source/http/credential_field.h"

namespace egret {
namespace {

constexpr std::array<std::string_view, 14> kParameters = {"access_token",
                                                          "auth_token",
                                                          "private_token",
                                                          "job_token",
                                                          "refresh_token",
                                                          "client_secret",
                                                          "api_key",
                                                          "apikey",
                                                          "awsaccesskeyid",
                                                          "x-amz-credential",
                                                          "x-amz-security-token",
                                                          "x-amz-signature",
                                                          "x-goog-credential",
                                                          "x-goog-signature"};

template <class Names>
bool HasName(const Names& names, std::string_view wanted) {
  return std::any_of(names.begin(), names.end(), [wanted](const auto& name) { return EqualsIgnoreCase(name, wanted); });
}

}  // namespace

bool KnownCredentials::IsField(std::string_view name) const {
  return IsCredentialField(name) || EqualsIgnoreCase(name, "Cookie") || HasName(more_fields_, name);
}

bool KnownCredentials::IsParameter(std::string_view text) const {
  while (!text.empty()) {
    std::string_view parameter = SplitFirst(text, ';');
    const std::string name = WithoutEscapes(SplitFirst(parameter, '='));
    if (HasName(kParameters, name) || HasName(more_parameters_, name)) return true;
  }
  return false;
}

bool KnownCredentials::AreInQuery(std::string_view target) const {
  std::string_view query = target;
  SplitFirst(query, '?');
  while (!query.empty())
    if (IsParameter(SplitFirst(query, '&'))) return true;
  return false;
}

std::string KnownCredentials::WithoutThem(std::string_view target) const {
  std::string_view query = target;
  std::string out(SplitFirst(query, '?'));
  char before = '?';
  while (!query.empty()) {
    const std::string_view parameter = SplitFirst(query, '&');
    if (IsParameter(parameter)) continue;
    Append(out, before, parameter);
    before = '&';
  }
  return out;
}

}  // namespace egret
