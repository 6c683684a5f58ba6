// One way to find out who asks. A method says at once what it knows for nothing; what costs is asked for on its own, so
// that it can be bounded. Shared by all workers and const.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "source/auth/credentials.h"
#include "source/base/ip.h"
#include "source/event/task.h"
#include "source/policy/facts.h"

namespace egret {

enum class AuthBy : uint8_t { kNobody, kBasic, kJwt, kClientCertificate, kSourceAddress, kCount };
std::string_view NameOf(AuthBy by);  // "client_certificate"
// Whether it is a credential of the request that such a method judges.
constexpr bool JudgesCredentials(AuthBy by) { return by == AuthBy::kBasic || by == AuthBy::kJwt; }

// What is known of who asks. Refers to the request and its connection.
struct AuthQuestion {
  const Credentials* credentials = nullptr;               // null: none came
  std::shared_ptr<const Identity> certificate = nullptr;  // of the client's own TLS; null: it showed none
  IpAddress source = {};
  bool in_tls = false;  // nobody on the way could read what came
  uint64_t now_ms = 0;  // of the loops' clock
  int64_t now = 0;      // seconds since 1970
};

struct AuthVerdict {
  enum class Kind : uint8_t {
    kPassed,    // nothing came that this method could judge
    kAccepted,  // `identity` asks
    kWrong,
    kBusy,   // it could not be looked at now
    kCosts,  // only Check() can tell
  };
  Kind kind = Kind::kPassed;
  std::shared_ptr<const Identity> identity = {};
};

class AuthMethod {
 public:
  virtual ~AuthMethod() = default;
  virtual AuthBy by() const = 0;
  // The values of Proxy-Authenticate (RFC 9110 11.7.1) that ask for what it judges; none where that is no credential.
  virtual std::vector<std::string> Challenges(std::string_view realm) const = 0;
  virtual AuthVerdict AtOnce(const AuthQuestion& question) const = 0;
  // What AtOnce() said kCosts to. The question outlives it.
  virtual Task<AuthVerdict> Check(const AuthQuestion& question) const = 0;
};

}  // namespace egret
