#include "source/ctl/rollout_table.h"

#include <algorithm>
#include <vector>

#include "source/base/strings.h"
#include "source/ctl/table.h"

namespace egret {
namespace {

using control::v1::GroupStatus;
using control::v1::Rollout;
using control::v1::StatusResponse;

using Row = std::vector<std::string>;

constexpr size_t kVersionShown = 12;

std::string Age(const google::protobuf::Timestamp& since, int64_t now) {
  return since.seconds() == 0 ? "-" : ShownSeconds(std::max<int64_t>(now - since.seconds(), 0));
}

std::string StateOf(const Rollout& rollout) {
  if (rollout.release().empty()) return "not valid";
  if (rollout.has_halt()) return "halted";
  if (rollout.percent() == 0) return "not begun";
  return rollout.percent() == 100 ? "for all" : "goes on";
}

// Of decisions, and of how many who ask.
std::string ChangedOf(const Rollout& rollout) {
  if (rollout.decisions_compared() == 0) return "-";
  return Cat(rollout.decisions_changed(), " of ", rollout.decisions_compared(), ", of ", rollout.identities_changed(),
             rollout.identities_changed() == 1 ? " identity" : " identities");
}

std::string LineOf(const Rollout& rollout, int64_t now) {
  return OneLine(Cat(rollout.group(), " is halted by ", rollout.halt().by(), " since ", Age(rollout.halt().at(), now),
                     ": ", rollout.halt().reason()));
}

}  // namespace

StatusResponse RolloutsOf(const StatusResponse& status) {
  StatusResponse only;
  for (const GroupStatus& group : status.groups()) {
    if (!group.has_rollout()) continue;
    GroupStatus& kept = *only.add_groups();
    kept.set_name(group.name());
    kept.set_version(group.version());
    *kept.mutable_rollout() = group.rollout();
  }
  return only;
}

bool AnyHalted(const StatusResponse& status) {
  return std::any_of(status.groups().begin(), status.groups().end(),
                     [](const GroupStatus& group) { return group.rollout().has_halt(); });
}

std::string RolloutTable(const StatusResponse& status, int64_t now_unix) {
  std::vector<Row> rows = {{"GROUP", "RELEASE", "AGE", "PERCENT", "STATE", "GIVEN", "SETTLED", "CHANGED"}};
  std::string lines;
  for (const GroupStatus& group : status.groups()) {
    if (!group.has_rollout()) continue;
    const Rollout& rollout = group.rollout();
    rows.push_back({OneLine(group.name()), OneLine(rollout.release().substr(0, kVersionShown)),
                    Age(rollout.since(), now_unix), Cat(rollout.percent()), StateOf(rollout),
                    Cat(rollout.proxies_given()), Cat(rollout.proxies_settled()), ChangedOf(rollout)});
    if (rollout.has_halt()) Append(lines, LineOf(rollout, now_unix), "\n");
    for (const std::string& problem : rollout.problems()) Append(lines, OneLine(problem), "\n");
  }
  if (rows.size() == 1) return "no group has a next release\n";
  return Cat(Table(rows), lines.empty() ? "" : "\n", lines);
}

}  // namespace egret
