#include "source/chain/log_tail.h"

namespace egret {
namespace {

// "example.com:443" -> "example.com"; "[::1]:443" -> "::1".
std::string_view HostOf(std::string_view target) {
  std::string_view host = target.substr(0, target.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

bool Holds(std::string_view wanted, std::string_view value) { return wanted.empty() || wanted == value; }

}  // namespace

bool LogFilter::Wants(const ExchangeRecord& record) const {
  const std::string_view to = HostOf(record.target);
  return Holds(decision, record.decision.action) && Holds(policy, record.decision.policy) &&
         Holds(rule, record.decision.rule) && Holds(address, to) && (!host || host->Matches(to));
}

void LogTail::Add(const ExchangeRecord& record, std::string_view event, uint64_t duration_ms) {
  if (!filter_.Wants(record)) return;
  const size_t before = lines_.text.size();
  if (before < kMostBytes) AppendLogLine(lines_.text, record, event, duration_ms);
  if (before >= kMostBytes || lines_.text.size() > kMostBytes) {
    lines_.text.resize(before);
    ++lines_.dropped;
  }
}

LogTail::Lines LogTail::Take() { return std::exchange(lines_, {}); }

}  // namespace egret
