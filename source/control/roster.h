// Which proxy has what: connected ones, and for an hour those that were. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "egret/control/v1/rejection.pb.h"
#include "source/control/delta_session.h"

namespace egret {

struct Proxy {
  using Time = std::chrono::system_clock::time_point;

  std::string id;
  std::string group;
  std::string release;
  std::string peer;          // as the last stream's connection names it
  bool certified = false;    // its certificate says who it is
  int streams = 0;           // 0: not connected
  Time since = {};           // when it came, or went
  std::string version = {};  // of the publication whose every part it has answered; empty: none yet
  Time version_since = {};
  // What it refuses, by type URL and name, until it takes it or it is taken away.
  std::map<std::pair<std::string, std::string>, std::vector<control::v1::Rejection>> rejections = {};
};

class Roster {
 public:
  static constexpr std::chrono::hours kForgetAfter{1};
  static constexpr size_t kMostProxies = 100'000;

  // `anew`: what it refused before counts no more.
  void Connected(const Proxy& proxy, bool anew);
  void Gone(const std::string& group, const std::string& id);
  void Judged(const std::string& group, const std::string& id, const Verdict& verdict);
  // It has all of this version; whatever it refuses of it is told by rejections.
  void Settled(const std::string& group, const std::string& id, const std::string& version);

  std::vector<Proxy> Look() const;

  struct Counts {
    uint64_t accepted = 0;  // responses
    uint64_t refused = 0;
  };
  Counts counts() const;

 private:
  using Key = std::pair<std::string, std::string>;  // group and id

  void Forget(Proxy::Time now);

  mutable std::mutex mutex_;
  std::map<Key, Proxy> proxies_;
  Counts counts_;
};

}  // namespace egret
