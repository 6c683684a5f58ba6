#include "source/auth/jwt_method.h"

#include <utility>

#include "source/auth/basic_method.h"
#include "source/base/strings.h"

namespace egret {
namespace {

using Kind = AuthVerdict::Kind;

constexpr size_t kMostRemembered = 65536;

}  // namespace

JwtMethod::JwtMethod(JwtOptions options, bool as_password, std::shared_ptr<const Current<KeySet>> keys,
                     std::shared_ptr<const KeyFeed> feed)
    : options_(std::move(options)),
      as_password_(as_password),
      keys_(std::move(keys)),
      feed_(std::move(feed)),
      sound_(kMostRemembered) {}

std::vector<std::string> JwtMethod::Challenges(std::string_view realm) const {
  std::vector<std::string> out = {Cat("Bearer realm=\"", realm, '"')};
  if (as_password_) out.push_back(BasicChallenge(realm));
  return out;
}

std::optional<std::string_view> JwtMethod::TokenOf(const AuthQuestion& question) const {
  const Credentials& credentials = *question.credentials;
  if (credentials.scheme() == Credentials::Scheme::kBearer) return credentials.token();
  if (credentials.scheme() == Credentials::Scheme::kBasic && as_password_) return credentials.password();
  return std::nullopt;
}

KeyedHash::Value JwtMethod::CacheKey(std::string_view token, const KeySet& keys, bool in_tls) const {
  return hasher_.Of({token, Cat(keys.number()), in_tls ? "tls" : ""});
}

AuthVerdict JwtMethod::AtOnce(const AuthQuestion& question) const {
  if (question.credentials == nullptr) return {};
  const std::optional<std::string_view> token = TokenOf(question);
  if (!token) return {Kind::kWrong};
  const auto known = sound_.Find(CacheKey(*token, *keys_->Get(), question.in_tls), static_cast<uint64_t>(question.now));
  if (known) return {Kind::kAccepted, *known};
  return {ParseJwt(*token) ? Kind::kCosts : Kind::kWrong};
}

Task<std::shared_ptr<const KeySet>> JwtMethod::KeysFor(const JwtParts& parts) const {
  std::shared_ptr<const KeySet> keys = keys_->Get();
  if (feed_ == nullptr || keys->Find(parts.id) != nullptr || !NamesIssuer(parts, options_.issuer)) co_return keys;
  Pending<KeyFeed::Looked> looked;
  feed_->Look(looked);
  co_await looked;
  co_return keys_->Get();
}

// Whoever is on the way of what comes in clear has the token, too.
Task<AuthVerdict> JwtMethod::Check(const AuthQuestion& question) const {
  const std::string_view token = *TokenOf(question);
  const std::optional<JwtParts> parts = ParseJwt(token);
  const std::shared_ptr<const KeySet> keys = co_await KeysFor(*parts);
  const Assurance assurance = question.in_tls ? Assurance::kToken : Assurance::kSourceAddress;
  std::shared_ptr<const Identity> identity = CheckJwt(*parts, *keys, options_, assurance, question.now);
  if (identity == nullptr) co_return AuthVerdict{Kind::kWrong};
  sound_.Put(CacheKey(token, *keys, question.in_tls), identity, static_cast<uint64_t>(identity->ends));
  co_return AuthVerdict{Kind::kAccepted, std::move(identity)};
}

}  // namespace egret
