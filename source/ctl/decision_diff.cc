#include "source/ctl/decision_diff.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "source/base/strings.h"
#include "source/config/compile_policies.h"
#include "source/config/policy_spec.h"
#include "source/ctl/listener_policies.h"
#include "source/ctl/logged.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using Errors = std::vector<ConfigError>;

// Which policies judge is a matter of the listener; one that goes on with those
// of whoever enters it is a tunnel's.
std::optional<PolicyStack> StackOf(const Bootstrap& bootstrap, const std::string& listener) {
  auto judges = PoliciesOf(bootstrap, listener);
  if (!judges) judges = PoliciesOf(bootstrap, "");
  if (!judges) return std::nullopt;
  return PolicyStack(judges->policies);
}

PolicyChange::Side SideOf(const Decision& decision) {
  return {std::string(NameOf(decision.verdict)), decision.policy, decision.rule};
}

class Judge {
 public:
  Judge(const Bootstrap& before, const Bootstrap& after, const Policy& old_policy, const Policy& new_policy)
      : before_(before), after_(after), old_(old_policy), new_(new_policy) {}

  void Take(std::string_view text, DecisionDiff& into) const {
    const LoggedLine line = ReadLogged(text);
    if (!line.counts) return;
    const auto old_stack = line.logged ? StackOf(before_, line.logged->listener) : std::nullopt;
    const auto new_stack = line.logged ? StackOf(after_, line.logged->listener) : std::nullopt;
    if (!old_stack || !new_stack) {
      ++into.left_out;
      return;
    }
    ++into.judged;
    const Asked& asked = line.logged->asked;
    const Decision was = JudgeAgain(old_, *old_stack, asked), is = JudgeAgain(new_, *new_stack, asked);
    if (was.verdict == is.verdict) return;
    PolicyChange change = line.logged->Row();
    change.stage = NameOf(is.denied() ? is.stage : was.stage);
    change.live = SideOf(was);
    change.candidate = SideOf(is);
    const int64_t now = asked.now.value_or(0);
    into.table.Add(std::move(change), {1, now, now});
  }

 private:
  const Bootstrap& before_;
  const Bootstrap& after_;
  const Policy& old_;
  const Policy& new_;
};

}  // namespace

Result<DecisionDiff, Errors> DiffDecisions(const Bootstrap& before, const Bootstrap& after, std::string_view log) {
  const auto old_policy = CompilePolicies(before, OwnEndpoints(before));
  if (!old_policy) return old_policy.error();
  const auto new_policy = CompilePolicies(after, OwnEndpoints(after));
  if (!new_policy) return new_policy.error();
  const Judge judge(before, after, **old_policy, **new_policy);
  DecisionDiff diff;
  while (!log.empty()) {
    const std::string_view line = SplitFirst(log, '\n');
    if (!line.empty()) judge.Take(line, diff);
  }
  return diff;
}

}  // namespace egret
