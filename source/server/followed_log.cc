#include "source/server/followed_log.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "source/base/ip.h"
#include "source/base/strings.h"
#include "source/policy/pattern.h"

namespace egret {
namespace {

uint64_t NextNumber() {
  static uint64_t last = 0;  // the main thread's
  return ++last;
}

constexpr std::pair<std::string_view, std::string LogFilter::*> kTexts[] = {
    {"verdict", &LogFilter::verdict}, {"identity", &LogFilter::identity}, {"policy", &LogFilter::policy},
    {"rule", &LogFilter::rule},       {"contains", &LogFilter::contains},
};

std::optional<Problem> NarrowByHost(LogFilter& filter, const std::string& host) {
  if (const auto address = IpAddress::Parse(host)) {
    filter.address = address->ToString();
    return std::nullopt;
  }
  Result<DomainPattern, std::string> pattern = ParsePattern(host);
  if (!pattern) return Problem{Cat("host: ", pattern.error())};
  filter.host = std::move(*pattern);
  return std::nullopt;
}

}  // namespace

std::optional<Problem> Narrow(LogFilter& filter, std::string_view by, std::string value) {
  if (by == "host") return NarrowByHost(filter, value);
  if (by == "verdict" && !IsVerdict(value))
    return Problem{"A verdict is allow, deny or challenge; or forward, relay or inspect."};
  for (const auto& [name, member] : kTexts) {
    if (name != by) continue;
    filter.*member = std::move(value);
    return std::nullopt;
  }
  return Problem{"Ask by verdict, identity, host, policy, rule or contains."};
}

FollowedLog::FollowedLog(const Workers& workers, Loop& main) : workers_(workers), main_(main), number_(NextNumber()) {}

FollowedLog::~FollowedLog() {
  for (const auto& worker : workers_) worker->Post([number = number_](Worker& on) { on.Unfollow(number); });
}

Task<bool> FollowedLog::Begin(LogFilter filter) {
  const std::vector<bool> followed = co_await AskWorkers<bool>(workers_, main_, [number = number_, filter](Worker& on) {
    return on.Follow(std::make_unique<LogTail>(number, filter));
  });
  co_return std::find(followed.begin(), followed.end(), false) == followed.end();
}

Task<LogTail::Lines> FollowedLog::Take() {
  const std::vector<LogTail::Lines> all =
      co_await AskWorkers<LogTail::Lines>(workers_, main_, [number = number_](Worker& on) {
        LogTail* const tail = on.FindTail(number);
        return tail != nullptr ? tail->Take() : LogTail::Lines();
      });
  LogTail::Lines lines;
  for (const LogTail::Lines& some : all) {
    lines.text += some.text;
    lines.dropped += some.dropped;
  }
  co_return lines;
}

}  // namespace egret
