// Decisions that a candidate policy makes otherwise than the one in force, counted by who asked for what. Bounded in
// rows, and each row in bytes: what peers choose cannot make it grow.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "source/base/json.h"

namespace egret {

struct PolicyChange {
  // One of the two decisions.
  struct Side {
    std::string verdict;  // "deny", "forward" ...
    std::string policy;
    std::string rule;
    friend auto operator<=>(const Side&, const Side&) = default;
  };

  std::string who;     // the identity, or else the client's address
  std::string target;  // host:port
  std::string method;  // empty where it is not known
  std::string stage;   // "target" ...
  Side live, candidate;

  friend auto operator<=>(const PolicyChange&, const PolicyChange&) = default;
};

struct ChangeCount {
  uint64_t count = 0;
  int64_t first_unix = 0, last_unix = 0;

  void Add(const ChangeCount& more);
};

// As members of an object that was begun: "who", "target", "method", "stage", "live", "candidate", "count" ...
void WriteChange(const PolicyChange& change, const ChangeCount& count, JsonWriter& out);

class ChangeTable {
 public:
  static constexpr size_t kMostRows = 1000;
  static constexpr size_t kMostBytes = 256;  // of each text that a peer chooses

  using Rows = std::map<PolicyChange, ChangeCount>;

  // False: there was no row for it.
  bool Add(PolicyChange change, const ChangeCount& more);
  const Rows& rows() const { return rows_; }
  // Decisions that no row was left for.
  uint64_t overflow() const { return overflow_; }
  void AddOverflow(uint64_t more) { overflow_ += more; }

 private:
  Rows rows_;
  uint64_t overflow_ = 0;
};

}  // namespace egret
