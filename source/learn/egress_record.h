// The egress record of a run: what was reached and what was refused, in a form that is the same for the same egress, so
// that two of them can be held against each other. Without times, counts of requests and addresses, which differ from
// run to run; with bytes, which tell how much left.
//
// As text: canonical JSON (members in the order of their names, no white space), an in-toto statement (v1) with this as
// its predicate:
//
//   {"_type":"https://in-toto.io/Statement/v1","predicate":{"command":"npm","egress":[{"bytes_in":1200,"bytes_out":300,
//    "certificate_keys":["ab…"],"host":"registry.npmjs.org","outcome":"reached","port":443,"protocol":"tls",
//    "requests":["GET /simple/{}"],"rules":["run/allow-registry-npmjs-org"]}]},"predicateType":"…","subject":[…]}
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "source/base/result.h"
#include "source/learn/access_line.h"

namespace egret {

inline constexpr std::string_view kEgressRecordType = "urn:egret:egress-record:v1";

class EgressRecord {
 public:
  static constexpr size_t kMostRows = 5000;
  static constexpr size_t kMostUnreached = 2500;  // of those: what a command makes up leaves room for what it reached
  static constexpr size_t kMostInRow = 300;       // of each list

  struct Key {
    std::string host;
    uint16_t port = 0;
    std::string protocol;  // "tls", "http", "other"; empty: it did not come to that
    Outcome outcome = Outcome::kReached;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Row {
    std::set<std::string> requests;        // "GET /repos/acme/{}": method and path, with {} for what is one of many
    std::set<std::string> rules;           // "policy/rule"
    std::set<std::string> keys;            // of certificates: SHA-256 of the public key
    uint64_t bytes_out = 0, bytes_in = 0;  // of the one who is watched
  };
  using Rows = std::map<Key, Row>;

  // Whole lines of an access log, in JSON.
  void Add(std::string_view lines);
  void Add(const AccessLine& line);

  const Rows& rows() const { return rows_; }
  uint64_t left_out() const { return left_out_; }  // lines that found no room, or not for all of them

  // What the record is about: names and SHA-256 in hex of what the command is, or made.
  struct Subject {
    std::string name, sha256;
  };
  // One line.
  std::string Statement(std::string_view command, const std::vector<Subject>& subjects) const;
  // Reads what Statement() wrote.
  static Result<EgressRecord, Problem> Parse(std::string_view statement);

 private:
  void Add(std::set<std::string>& list, std::string text);

  Rows rows_;
  size_t unreached_ = 0;  // rows of what was refused, or failed
  uint64_t left_out_ = 0;
};

// What `after` has and `before` has not, and the other way round, in words, one a line: "new: POST to x.workers.dev by
// POST /u, 14 KiB out".
std::vector<std::string> Differences(const EgressRecord& before, const EgressRecord& after);

}  // namespace egret
