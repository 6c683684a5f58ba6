#include "source/ctl/changes.h"

#include <time.h>

#include <algorithm>
#include <vector>

#include "source/base/strings.h"
#include "source/ctl/table.h"

namespace egret {
namespace {

// "deny by web/closed"
std::string Shown(const PolicyChange::Side& side) {
  if (side.rule.empty()) return OneLine(side.verdict);
  return OneLine(Cat(side.verdict, " by ", side.policy, side.policy.empty() ? "" : "/", side.rule));
}

std::string Clock(int64_t unix_seconds) {
  const auto seconds = static_cast<time_t>(unix_seconds);
  tm utc;
  gmtime_r(&seconds, &utc);
  char text[16];
  return {text, strftime(text, sizeof text, "%H:%M:%SZ", &utc)};
}

}  // namespace

std::string ChangeLine(const PolicyChange& change, const ChangeCount& count) {
  return Cat(OneLine(change.who), "  ", OneLine(change.method), " ", OneLine(change.target), "  ",
             OneLine(change.stage), ": ", Shown(change.live), " -> ", Shown(change.candidate), "  (", count.count,
             ")\n");
}

std::string ChangesTable(const ChangeTable::Rows& rows) {
  std::vector<ChangeTable::Rows::const_iterator> order;
  for (auto row = rows.begin(); row != rows.end(); ++row) order.push_back(row);
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a->second.count != b->second.count ? a->second.count > b->second.count : a->first < b->first;
  });
  std::vector<std::vector<std::string>> table = {
      {"COUNT", "WHO", "METHOD", "TARGET", "STAGE", "NOW", "CANDIDATE", "FIRST", "LAST"}};
  for (const auto& row : order) {
    const auto& [change, count] = *row;
    table.push_back({Cat(count.count), OneLine(change.who), OneLine(change.method), OneLine(change.target),
                     OneLine(change.stage), Shown(change.live), Shown(change.candidate), Clock(count.first_unix),
                     Clock(count.last_unix)});
  }
  return Table(table);
}

std::string ChangesSummary(const ChangeTable::Rows& rows, const ChangeTotals& totals) {
  uint64_t changed = totals.overflow;
  for (const auto& [change, count] : rows) changed += count.count;
  std::string text = rows.empty() ? "" : Cat("\n", ChangesTable(rows), "\n");
  Append(text, changed, " of ", totals.decisions, " decisions would change");
  if (totals.overflow > 0) Append(text, "; ", totals.overflow, " of them found no room in the table");
  if (totals.skipped > 0) Append(text, "; ", totals.skipped, " were too many to look at");
  return text + '\n';
}

}  // namespace egret
