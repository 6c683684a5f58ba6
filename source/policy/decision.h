// What was decided, where and why. It owns what it says, or that is static text, so it outlives the policy that made
// it; the response, the log line and the counters all read the same one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "source/base/failure.h"

namespace egret {

enum class Stage : uint8_t { kTarget, kAddress, kHello, kRequest };

struct Decision {
  enum class Verdict : uint8_t {
    kDeny,
    kContinue,   // go on to the next stage: what is left open is decided there
    kForward,    // this request, to its target
    kRelay,      // the tunnel's bytes, unread
    kInspect,    // decrypt or read, and decide each request
    kChallenge,  // 407: who asks is what is missing
  };
  enum class Audit : uint8_t { kNone, kWouldDeny, kWouldAllow, kWouldInspect };

  Verdict verdict = Verdict::kDeny;
  Stage stage = Stage::kTarget;
  Fault fault = Fault::kNone;  // why not; kNone unless verdict is kDeny or kChallenge
  bool can_allow = false;      // the outcomes of the stage
  bool can_deny = true;
  std::string policy;       // the named rule stands in this policy
  std::string rule;         // "otherwise" where no rule matched
  std::string_view reason;  // static, snake_case: "rule", "otherwise", "loopback", "sni_mismatch", ...
  std::string message;      // for whom it concerns; empty where neither rule nor guard has something to say
  Audit audit = Audit::kNone;
  std::string audit_policy;  // which rule would
  std::string audit_rule;

  bool denied() const { return verdict == Verdict::kDeny || verdict == Verdict::kChallenge; }
};

std::string_view NameOf(Stage stage);                // "target", ...
std::string_view NameOf(Decision::Verdict verdict);  // "deny", ...
std::string_view NameOf(Decision::Audit audit);      // "would_deny", ...; empty for kNone

}  // namespace egret
