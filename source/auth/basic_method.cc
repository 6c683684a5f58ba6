#include "source/auth/basic_method.h"

#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

using Kind = AuthVerdict::Kind;

// libcrypt takes no more; and a longer one is no password.
constexpr size_t kMostPasswordBytes = 511;

AuthVerdict Accept(const UserList::User& user, const AuthQuestion& question) {
  return {Kind::kAccepted, question.in_tls ? user.in_tls : user.in_clear};
}

}  // namespace

std::string BasicChallenge(std::string_view realm) { return Cat("Basic realm=\"", realm, "\", charset=\"UTF-8\""); }

BasicMethod::BasicMethod(std::shared_ptr<const Current<UserList>> users, std::shared_ptr<PasswordRoom> room)
    : users_(std::move(users)), room_(std::move(room)) {}

std::vector<std::string> BasicMethod::Challenges(std::string_view realm) const { return {BasicChallenge(realm)}; }

AuthVerdict BasicMethod::AtOnce(const AuthQuestion& question) const {
  if (question.credentials == nullptr) return {};
  const Credentials& credentials = *question.credentials;
  if (credentials.scheme() != Credentials::Scheme::kBasic) return {Kind::kWrong};
  if (credentials.password().size() > kMostPasswordBytes) return {Kind::kWrong};
  const std::shared_ptr<const UserList> users = users_->Get();
  const UserList::User* const user = users->Find(credentials.user());
  if (user == nullptr || !room_->Knows(user->hash, credentials.password(), question.now_ms)) return {Kind::kCosts};
  return Accept(*user, question);
}

Task<AuthVerdict> BasicMethod::Check(const AuthQuestion& question) const {
  const Credentials& credentials = *question.credentials;
  const std::shared_ptr<const UserList> users = users_->Get();
  const UserList::User* const user = users->Find(credentials.user());
  const std::string& hash = user != nullptr ? user->hash : users->Decoy(credentials.user());
  Pending<PasswordVerdict> answer;
  room_->Check(hash, credentials.password(), user == nullptr, question.now_ms, answer);
  const PasswordVerdict verdict = co_await answer;
  if (verdict == PasswordVerdict::kBusy) co_return AuthVerdict{Kind::kBusy};
  if (verdict == PasswordVerdict::kRight && user != nullptr) co_return Accept(*user, question);
  co_return AuthVerdict{Kind::kWrong};
}

}  // namespace egret
