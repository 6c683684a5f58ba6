// Basic (RFC 7617): a user and a password, checked against a list of hashes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/auth/auth_method.h"
#include "source/auth/htpasswd.h"
#include "source/auth/password_room.h"
#include "source/base/current.h"

namespace egret {

class BasicMethod final : public AuthMethod {
 public:
  BasicMethod(std::shared_ptr<const Current<UserList>> users, std::shared_ptr<PasswordRoom> room);
  AuthBy by() const override { return AuthBy::kBasic; }
  std::vector<std::string> Challenges(std::string_view realm) const override;
  AuthVerdict AtOnce(const AuthQuestion& question) const override;
  Task<AuthVerdict> Check(const AuthQuestion& question) const override;

 private:
  std::shared_ptr<const Current<UserList>> users_;
  std::shared_ptr<PasswordRoom> room_;
};

std::string BasicChallenge(std::string_view realm);

}  // namespace egret
