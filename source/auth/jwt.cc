#include "source/auth/jwt.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "source/base/base64.h"
#include "source/base/json_value.h"
#include "source/base/strings.h"

namespace egret {
namespace {

using Kind = JsonValue::Kind;

constexpr size_t kMostHeaderBytes = 2048;  // of what is read before anything is believed

// Seconds since 1970, as far as a number holds them (RFC 7519 2, NumericDate).
std::optional<int64_t> TimeOf(const JsonValue& claims, std::string_view name) {
  constexpr double kMost = 1e15;
  const JsonValue* const value = claims.Find(name);
  if (value == nullptr || !value->is(Kind::kNumber) || std::abs(value->number) > kMost) return std::nullopt;
  return static_cast<int64_t>(std::floor(value->number));
}

// One text or a list of them. Nothing: it is something else.
std::optional<std::vector<std::string>> ValuesOf(const JsonValue& value) {
  std::vector<std::string> out;
  if (value.is(Kind::kArray)) {
    for (const JsonValue& item : value.items) {
      if (!item.is(Kind::kString)) return std::nullopt;
      out.push_back(item.text);
    }
    return out;
  }
  if (value.is(Kind::kString) || value.is(Kind::kNumber)) return std::vector{value.text};
  if (value.is(Kind::kBool)) return std::vector<std::string>{value.boolean ? "true" : "false"};
  return std::nullopt;
}

std::vector<std::string> ListOf(const JsonValue& claims, std::string_view name) {
  const JsonValue* const value = claims.Find(name);
  return value == nullptr ? std::vector<std::string>() : ValuesOf(*value).value_or(std::vector<std::string>());
}

// When it ends; nothing where it is not for us, or not now. A token without an end is none.
std::optional<int64_t> EndOf(const JsonValue& claims, const JwtOptions& options, int64_t now) {
  if (claims.TextOf("iss") != options.issuer) return std::nullopt;
  const std::vector<std::string> audiences = ListOf(claims, "aud");
  const bool ours = std::any_of(audiences.begin(), audiences.end(), [&](const std::string& audience) {
    return std::find(options.audiences.begin(), options.audiences.end(), audience) != options.audiences.end();
  });
  const std::optional<int64_t> expires = TimeOf(claims, "exp"), begins = TimeOf(claims, "nbf");
  if (!ours || !expires || (claims.Find("nbf") != nullptr && !begins)) return std::nullopt;
  if (begins && *begins - kJwtLeewaySeconds > now) return std::nullopt;
  const int64_t ends = *expires + kJwtLeewaySeconds;
  return now < ends ? std::optional(ends) : std::nullopt;
}

std::optional<JsonValue> ClaimsOf(const JwtParts& parts) {
  const std::optional<std::string> text = FromBase64Url(parts.payload);
  return text ? JsonValue::Parse(*text) : std::nullopt;
}

// A service account's token names namespace and account twice; only where they agree are they believed, since other
// issuers let their users choose claims.
void AddServiceAccount(const JsonValue& claims, Identity& identity) {
  const JsonValue* const cluster = claims.Find("kubernetes.io");
  const JsonValue* const account = cluster == nullptr ? nullptr : cluster->Find("serviceaccount");
  if (account == nullptr) return;
  const std::string_view space = cluster->TextOf("namespace").value_or(""), name = account->TextOf("name").value_or("");
  if (space.empty() || name.empty()) return;
  if (claims.TextOf("sub") != Cat("system:serviceaccount:", space, ':', name)) return;
  identity.namespace_ = space;
  identity.service_account = Cat(space, '/', name);
}

}  // namespace

std::optional<JwtParts> ParseJwt(std::string_view token) {
  const size_t first = token.find('.'), last = token.rfind('.');
  if (first == std::string_view::npos || last == first || token.find('.', first + 1) != last) return std::nullopt;
  if (first > kMostHeaderBytes) return std::nullopt;
  const std::optional<std::string> header_text = FromBase64Url(token.substr(0, first));
  std::optional<std::string> signature = FromBase64Url(token.substr(last + 1));
  const std::optional<JsonValue> header = header_text ? JsonValue::Parse(*header_text) : std::nullopt;
  if (!header || !signature || header->Find("crit") != nullptr) return std::nullopt;
  const std::optional<std::string_view> algorithm = header->TextOf("alg");
  if (!algorithm || (header->Find("kid") != nullptr && !header->TextOf("kid"))) return std::nullopt;
  JwtParts parts;
  parts.signed_text = token.substr(0, last);
  parts.payload = token.substr(first + 1, last - first - 1);
  parts.signature = std::move(*signature);
  parts.algorithm = *algorithm;
  if (const auto id = header->TextOf("kid")) parts.id = *id;
  return parts;
}

bool NamesIssuer(const JwtParts& parts, std::string_view issuer) {
  const std::optional<JsonValue> claims = ClaimsOf(parts);
  return claims && claims->TextOf("iss") == issuer;
}

std::shared_ptr<const Identity> CheckJwt(const JwtParts& parts, const KeySet& keys, const JwtOptions& options,
                                         Assurance assurance, int64_t now) {
  const Jwk* const key = keys.Find(parts.id);
  if (key == nullptr || parts.algorithm != NameOf(key->algorithm())) return nullptr;
  if (!key->Verifies(parts.signed_text, parts.signature)) return nullptr;
  const std::optional<JsonValue> claims = ClaimsOf(parts);
  const std::optional<int64_t> ends = claims ? EndOf(*claims, options, now) : std::nullopt;
  const std::optional<std::string_view> user = claims ? claims->TextOf(options.user_claim) : std::nullopt;
  if (!ends || !user || user->empty()) return nullptr;
  auto identity = std::make_shared<Identity>();
  identity->user = *user;
  identity->groups = ListOf(*claims, options.groups_claim);
  AddServiceAccount(*claims, *identity);
  for (const auto& [name, value] : claims->members)
    if (std::optional<std::vector<std::string>> values = ValuesOf(value))
      identity->claims.push_back({name, std::move(*values)});
  identity->assurance = assurance;
  identity->ends = *ends;
  identity->vouch = key->vouch();
  return identity;
}

}  // namespace egret
