#include "source/server/fleet_tails.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/event/wait.h"

namespace egret {
namespace {

using control::v1::Report;
using control::v1::TailLine;

constexpr uint64_t kLookEveryMs = 250;

Result<LogFilter, Problem> FilterOf(const control::v1::Tail& order) {
  LogFilter filter{.decisions = order.decisions()};
  for (const auto& [by, value] : {std::pair("verdict", &order.verdict()), std::pair("identity", &order.identity()),
                                  std::pair("host", &order.host()), std::pair("policy", &order.policy()),
                                  std::pair("rule", &order.rule()), std::pair("contains", &order.contains())}) {
    if (value->empty()) continue;
    if (auto problem = Narrow(filter, by, *value)) return std::move(*problem);
  }
  return filter;
}

}  // namespace

void FleetTails::Obey(const control::v1::Tail& order) {
  constexpr int64_t kMostSeconds = 24 * 3600;
  std::erase_if(tails_, [](const auto& entry) { return entry.second->log == nullptr; });
  tails_.erase(order.id());
  const int64_t seconds = std::clamp<int64_t>(order.duration().seconds(), 0, kMostSeconds);
  if (seconds == 0) return;
  if (tails_.size() == kMost) return Refuse(order.id(), Cat(kMost, " follow already"));
  auto filter = FilterOf(order);
  if (!filter) return Refuse(order.id(), filter.error().text);
  Tail& tail = *tails_.emplace(order.id(), std::make_unique<Tail>()).first->second;
  tail.order = order;
  tail.end_ms = main_.now_ms() + static_cast<uint64_t>(seconds) * 1000;
  tail.log = std::make_unique<FollowedLog>(workers_, main_);
  tail.task.Start(Run(tail, std::move(*filter)));
}

// What has not left yet waits with the workers, who count what they have no room for.
Task<void> FleetTails::Run(Tail& tail, LogFilter filter) {
  if (!co_await tail.log->Begin(std::move(filter))) {
    Refuse(tail.order.id(), "too many follow already");
    tail.log.reset();
    co_return;
  }
  while (main_.now_ms() < tail.end_ms) {
    co_await Sleep(kLookEveryMs);
    if (!outbox_.HasRoom()) continue;
    const Report report = ReportOf(tail, co_await tail.log->Take());
    if (!report.lines().empty()) outbox_.Put(report);
  }
  tail.log.reset();
}

Report FleetTails::ReportOf(const Tail& tail, const LogTail::Lines& lines) const {
  Report report;
  size_t bytes = 0;
  uint64_t dropped = lines.dropped;
  for (std::string_view rest = lines.text; !rest.empty();) {
    const std::string_view line = SplitFirst(rest, '\n');
    if (line.empty()) continue;
    bytes += line.size();
    if (bytes > kMostBytes) {
      ++dropped;
      continue;
    }
    TailLine& told = *report.add_lines();
    told.set_id(tail.order.id());
    told.set_line(std::string(line));
  }
  if (dropped == 0) return report;
  TailLine& told = *report.add_lines();
  told.set_id(tail.order.id());
  told.set_dropped(dropped);
  return report;
}

void FleetTails::Refuse(const std::string& id, std::string why) {
  Report report;
  TailLine& told = *report.add_lines();
  told.set_id(id);
  told.set_refused(std::move(why));
  outbox_.Put(report);
}

}  // namespace egret
