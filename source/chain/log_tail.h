// Decisions, or lines of the access log, for somebody who follows them, gathered on one worker's thread until they are
// taken. Bounded: who takes them late misses some, and is told how many; no exchange waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "source/chain/record.h"
#include "source/policy/pattern.h"

namespace egret {

// What all of it holds for is followed; what is empty holds for anything.
struct LogFilter {
  bool decisions = false;     // as they are made; else how what they were about began and ended
  std::string verdict = {};   // one of IsVerdict
  std::string identity = {};  // its name; "-": nobody's
  std::string policy = {};
  std::string rule = {};
  std::string contains = {};               // anywhere in the line
  std::optional<DomainPattern> host = {};  // of the target
  std::string address = {};                // the target, where it is one

  bool Wants(const ExchangeRecord& record) const;
};

// "allow", "deny" or "challenge"; or how it is allowed: "forward", "relay" or "inspect".
bool IsVerdict(std::string_view text);

class LogTail {
 public:
  static constexpr size_t kMostBytes = size_t{256} << 10;

  struct Lines {
    std::string text;  // JSON, each with its end
    uint64_t dropped = 0;
  };

  // `number`: of all that follow, in this process.
  LogTail(uint64_t number, LogFilter filter) : number_(number), filter_(std::move(filter)) {}

  uint64_t number() const { return number_; }
  void Add(const ExchangeRecord& record, std::string_view event, uint64_t duration_ms);
  void AddDecision(const ExchangeRecord& record, uint64_t unix_us);
  Lines Take();

 private:
  template <class Append>
  void Keep(const ExchangeRecord& record, const Append& append);

  const uint64_t number_;
  const LogFilter filter_;
  Lines lines_;
};

}  // namespace egret
