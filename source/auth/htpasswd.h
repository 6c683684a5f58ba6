// A list of users and hashes of their passwords, one `name:hash` a line: what htpasswd, mkpasswd and `openssl passwd`
// make. The hashes are those of crypt(5) that libcrypt itself holds for strong, and that take a bounded time to check:
// bcrypt, SHA-512-crypt and yescrypt. Immutable.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "source/base/result.h"
#include "source/policy/facts.h"

namespace egret {

class UserList {
 public:
  struct User {
    std::string hash;
    // Who that is, known by a password that came inside TLS, and by one that came in clear: whoever reads that on its
    // way has it, so it proves no more than the address does.
    std::shared_ptr<const Identity> in_tls, in_clear;
    std::shared_ptr<Vouch> vouch;
  };

  // Empty lines and lines that begin with `#` are left out. `before`: what was in force; whose hash stays the same is
  // still known. May be null. The problem names the line, never what is in it.
  static Result<std::shared_ptr<const UserList>, Problem> Parse(std::string_view text, const UserList* before);
  // Whoever is not in `next`, or has another hash there, is not known any more.
  void WithdrawAllBut(const UserList& next) const;

  const User* Find(std::string_view name) const;  // null: nobody of that name
  // The hash that a password of an unknown user is checked against, so that it takes the time of a known one's: one of
  // the list, the same for the same name.
  const std::string& Decoy(std::string_view name) const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };
  const User* FindSame(std::string_view name, const std::string& hash) const;

  std::unordered_map<std::string, User, Hash, std::equal_to<>> users_;
  std::vector<const std::string*> hashes_;  // never empty
  uint64_t secret_ = 0;                     // which decoy a name gets is not for others to know
};

// Whether the password has this hash. Takes milliseconds on purpose. On any thread.
bool HasHash(const std::string& password, const std::string& hash);

}  // namespace egret
