#include "source/policy/decision.h"

namespace egret {

std::string_view NameOf(Stage stage) {
  switch (stage) {
    case Stage::kTarget:
      return "target";
    case Stage::kAddress:
      return "address";
    case Stage::kHello:
      return "hello";
    case Stage::kRequest:
      break;
  }
  return "request";
}

std::string_view NameOf(Decision::Verdict verdict) {
  switch (verdict) {
    case Decision::Verdict::kDeny:
      return "deny";
    case Decision::Verdict::kContinue:
      return "continue";
    case Decision::Verdict::kForward:
      return "forward";
    case Decision::Verdict::kRelay:
      return "relay";
    case Decision::Verdict::kInspect:
      return "inspect";
    case Decision::Verdict::kChallenge:
      break;
  }
  return "challenge";
}

std::string_view NameOf(Decision::Audit audit) {
  switch (audit) {
    case Decision::Audit::kNone:
      return "";
    case Decision::Audit::kWouldDeny:
      return "would_deny";
    case Decision::Audit::kWouldAllow:
      return "would_allow";
    case Decision::Audit::kWouldInspect:
      break;
  }
  return "would_inspect";
}

}  // namespace egret
