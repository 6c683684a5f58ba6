#include "source/run/summary.h"

#include <utility>

namespace egret {
void RunSummary::Add(std::string_view lines) {
  ForEachAccessLine(lines, [this](const AccessLine& line) { Add(line); });
}

void RunSummary::Add(const AccessLine& line) {
  Key key{.outcome = line.outcome(), .target = line.Text("target"), .rule = line.Text("rule"), .detail = {}};
  // What came through a tunnel is told with the tunnel, unless it was refused in there.
  if (key.outcome == Outcome::kReached && line.inside()) return;
  if (key.outcome != Outcome::kReached) key.detail = line.Text("detail");
  ++times_[key.outcome];
  if (rows_.size() >= kMostRows && !rows_.contains(key)) {
    ++left_out_;
    return;
  }
  Counts& counts = rows_[std::move(key)];
  ++counts.times;
  counts.out += line.Number("received_bytes");
  counts.in += line.Number("sent_bytes");
}

uint64_t RunSummary::Times(Outcome outcome) const {
  const auto times = times_.find(outcome);
  return times == times_.end() ? 0 : times->second;
}

}  // namespace egret
