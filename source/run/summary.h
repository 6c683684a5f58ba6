// What a run reached and what was refused, by destination, gathered from the access log.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "source/learn/access_line.h"

namespace egret {

class RunSummary {
 public:
  // One row: what came to the same end for the same reason.
  struct Key {
    Outcome outcome = Outcome::kReached;
    std::string target;  // "example.com:443"; empty: none was understood
    std::string rule;    // that decided; empty: no rule matched, or nothing was decided
    std::string detail;  // of what was refused or failed, as in the log
    auto operator<=>(const Key&) const = default;
  };
  struct Counts {
    uint64_t times = 0;  // requests and tunnels
    uint64_t out = 0;    // bytes that the command sent
    uint64_t in = 0;     // bytes that it got
  };

  static constexpr size_t kMostRows = 1000;

  // Whole lines of the access log, in JSON.
  void Add(std::string_view lines);
  void Add(const AccessLine& line);

  const std::map<Key, Counts>& rows() const { return rows_; }
  uint64_t left_out() const { return left_out_; }  // times that found no room for a row of their own
  uint64_t Times(Outcome outcome) const;

 private:
  std::map<Key, Counts> rows_;
  std::map<Outcome, uint64_t> times_;  // those without a row, too
  uint64_t left_out_ = 0;
};

}  // namespace egret
