// A line of the access log: what was asked, how it was decided, and how another policy decides it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "source/chain/change_table.h"
#include "source/ctl/question.h"
#include "source/policy/policy.h"

namespace egret {

struct Logged {
  Asked asked;
  std::string listener;
  std::string who;         // the identity, or else the client's address
  std::string method;      // of the line itself
  PolicyChange::Side was;  // "deny", "inspect" or "allow"; empty: nothing was decided, or nobody had said who it was
  std::string stage;       // of that

  // The row of a table for it, without the decisions.
  PolicyChange Row() const;
};

struct LoggedLine {
  bool counts = true;            // not a beginning, whose end comes as well; nor what is no JSON
  std::optional<Logged> logged;  // empty: no policy was asked, or the line does not say enough
};
LoggedLine ReadLogged(std::string_view line);

// The decision of the last stage that the facts of the line lead to.
Decision JudgeAgain(const Policy& policy, const PolicyStack& stack, const Asked& asked);

}  // namespace egret
