// Which proxy has what: connected ones, and for an hour those that were. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "egret/control/v1/fleet.pb.h"
#include "source/control/delta_session.h"

namespace egret {

// One reason why a proxy does not use what it was sent.
struct Refusal {
  std::string type_url;  // of the response
  // What was in it. The reason may be about one of these names, or, where it does not go with the rest, about another.
  std::shared_ptr<const std::map<std::string, std::string>> response;
  control::v1::Rejection rejection;
  int reports = 0;  // since then; who reports says it itself by the second
};

struct Proxy {
  using Time = std::chrono::system_clock::time_point;
  using Name = std::pair<std::string, std::string>;  // of a resource: type URL and name

  std::string id;
  std::string group;
  std::string release;
  std::string peer;          // as the last stream's connection names it
  bool certified = false;    // its certificate says who it is
  int streams = 0;           // 0: not connected
  Time since = {};           // when it came, or went
  std::string offered = {};  // version that it is to have
  std::string version = {};  // of the publication whose every part it has answered; empty: none yet
  Time version_since = {};
  std::vector<Refusal> refusals = {};  // oldest first
  // What it reports of itself, whichever control plane it was judging for.
  int fleet_streams = 0;                                      // 0: it does not report, or not here
  std::map<Name, control::v1::ResourceStatus> troubles = {};  // what is not in force and should be
  std::optional<control::v1::ConfigStatus> config = {};
  uint64_t requests = 0, local_failures = 0;  // since it was offered that version here

  // All reasons why it does not use something, of responses and of reports.
  std::vector<control::v1::Rejection> Rejections() const;
};

class Roster {
 public:
  static constexpr std::chrono::hours kForgetAfter{1};
  static constexpr size_t kMostProxies = 100'000;
  static constexpr size_t kMostRefusals = 1'000;  // of one proxy

  // `anew`: what it refused before counts no more.
  void Connected(const Proxy& proxy, bool anew);
  void Gone(const std::string& group, const std::string& id);
  // From now on it is to have this version.
  void Offered(const std::string& group, const std::string& id, const std::string& version);
  // A reason goes when its name is judged anew, or, where it is about something else, any name of its response.
  void Judged(const std::string& group, const std::string& id, const Verdict& verdict);
  // `first`: of its stream; what was reported before counts no more. The report's texts are short (bounds.h). False: it
  // is not known here.
  bool Reported(const std::string& group, const std::string& id, const control::v1::Report& report, bool first);
  void ReportsNoMore(const std::string& group, const std::string& id);
  // It has all of this version; whatever it refuses of it is told by refusals.
  void Settled(const std::string& group, const std::string& id, const std::string& version);

  std::vector<Proxy> Look() const;

  struct Counts {
    uint64_t accepted = 0;  // responses
    uint64_t refused = 0;
  };
  Counts counts() const;

  // What the rules of a group decided, as its proxies told it here.
  using RuleCounts = std::map<std::pair<std::string, std::string>, control::v1::RuleCount>;
  std::map<std::string, RuleCounts> Decisions() const;
  static constexpr size_t kMostRules = 10'000;  // of a group

 private:
  using Key = std::pair<std::string, std::string>;  // group and id

  void Forget(Proxy::Time now);

  mutable std::mutex mutex_;
  std::map<Key, Proxy> proxies_;
  Counts counts_;
  std::map<std::string, RuleCounts> decisions_;  // by group
};

}  // namespace egret
