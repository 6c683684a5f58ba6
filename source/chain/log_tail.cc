#include "source/chain/log_tail.h"

#include <algorithm>
#include <iterator>

namespace egret {
namespace {

// "example.com:443" -> "example.com"; "[::1]:443" -> "::1".
std::string_view HostOf(std::string_view target) {
  std::string_view host = target.substr(0, target.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool Holds(std::string_view wanted, std::string_view value) { return wanted.empty() || wanted == value; }

bool IsBy(std::string_view identity, std::string_view asked) {
  return identity == "-" ? asked.empty() : Holds(identity, asked);
}

bool IsOf(std::string_view verdict, const DecisionRecord& decision) {
  if (Holds(verdict, decision.action)) return true;
  return !decision.action.empty() && verdict == NameOf(decision.verdict);
}

}  // namespace

bool LogFilter::Wants(const ExchangeRecord& record) const {
  const std::string_view to = HostOf(record.target);
  return IsOf(verdict, record.decision) && IsBy(identity, record.identity) && Holds(policy, record.decision.policy) &&
         Holds(rule, record.decision.rule) && Holds(address, to) && (!host || host->Matches(to));
}

bool IsVerdict(std::string_view text) {
  constexpr std::string_view kKnown[] = {"allow", "deny", "challenge", "forward", "relay", "inspect"};
  return std::find(std::begin(kKnown), std::end(kKnown), text) != std::end(kKnown);
}

void LogTail::Add(const ExchangeRecord& record, std::string_view event, uint64_t duration_ms) {
  if (filter_.decisions) return;
  Keep(record, [&](std::string& out) { AppendLogLine(out, record, event, duration_ms); });
}

void LogTail::AddDecision(const ExchangeRecord& record, uint64_t unix_us) {
  if (!filter_.decisions) return;
  Keep(record, [&](std::string& out) { AppendDecisionLine(out, record, unix_us); });
}

// Made even where there is no room for it: its text says whether it is missed.
template <class Append>
void LogTail::Keep(const ExchangeRecord& record, const Append& append) {
  if (!filter_.Wants(record)) return;
  const size_t before = lines_.text.size();
  append(lines_.text);
  const bool wanted = std::string_view(lines_.text).substr(before).find(filter_.contains) != std::string_view::npos;
  if (wanted && lines_.text.size() <= kMostBytes) return;
  lines_.text.resize(before);
  if (wanted) ++lines_.dropped;
}

LogTail::Lines LogTail::Take() { return std::exchange(lines_, {}); }

}  // namespace egret
