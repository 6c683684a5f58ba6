// The publications in force, by group, and who follows them. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "source/config/error.h"
#include "source/control/publication.h"

namespace egret {

class Follower {
 public:
  // From now on this counts. Must not block, nor call the hub.
  virtual void OnPublication(const PublicationPtr& publication) = 0;

 protected:
  ~Follower() = default;
};

class Hub {
 public:
  using Time = std::chrono::system_clock::time_point;
  struct Group {
    PublicationPtr publication = {};       // null: none was ever valid
    Time since = {};                       // when it came
    std::vector<ConfigError> errors = {};  // why what is in the files now is not served; empty: it is
    uint64_t refused = 0;                  // so many times were the files not valid
  };

  // What the files hold now.
  void Publish(const std::string& group, PublicationPtr publication);
  // They are not valid; what is published stays.
  void Refuse(const std::string& group, std::vector<ConfigError> errors);

  enum class Joined : uint8_t { kFollows, kNoSuchGroup, kNothingValid };
  // The follower is told at once, then of each change until it leaves.
  Joined Join(const std::string& group, Follower& follower);
  void Leave(const std::string& group, Follower& follower);

  std::map<std::string, Group> Look() const;

 private:
  struct Entry {
    Group group;
    std::set<Follower*> followers;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace egret
