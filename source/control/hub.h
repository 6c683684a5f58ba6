// The publications in force, by group, and who follows them: of a group's next release those of its cohort, of the
// other all the rest. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
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
  // How far a release has come.
  struct Progress {
    std::string release = {};
    uint32_t percent = 0;  // who is in this cohort is given it
    bool halted = false;   // whoever has it keeps it, and who comes with nothing is not given it

    friend bool operator==(const Progress&, const Progress&) = default;
  };
  struct Group {
    PublicationPtr publication = {};       // null: none was ever valid
    Time since = {};                       // when it came
    std::vector<ConfigError> errors = {};  // why what is in the files now is not served; empty: it is
    uint64_t refused = 0;                  // so many times were the files not valid
    PublicationPtr next = {};              // the release that is rolled out; null: none
    Time next_since = {};
    std::vector<ConfigError> next_errors = {};  // why what is in its files now is not it
    Progress progress = {};                     // of `next`
  };

  // What the files hold now.
  void Publish(const std::string& group, PublicationPtr publication);
  // They are not valid; what is published stays.
  void Refuse(const std::string& group, std::vector<ConfigError> errors);
  // Its next release; nobody is given it before Advance says so. Null: there is none.
  void Stage(const std::string& group, PublicationPtr next);
  void RefuseNext(const std::string& group, std::vector<ConfigError> errors);
  // Counts while that is the group's next release.
  void Advance(const std::string& group, const Progress& progress);

  enum class Joined : uint8_t { kFollows, kNoSuchGroup, kNothingValid };
  // The follower is told at once, then of each change until it leaves. `anew`: the proxy has nothing yet.
  Joined Join(const std::string& group, const std::string& id, bool anew, Follower& follower);
  void Leave(const std::string& group, Follower& follower);

  std::map<std::string, Group> Look() const;

 private:
  struct Following {
    std::string id;
    bool anew = false;
    std::string given = {};  // version
  };
  struct Entry {
    Group group;
    std::map<Follower*, Following> followers;
  };
  static const PublicationPtr& ChoiceOf(const Group& group, const Following& following);
  static void TellAll(Entry& entry);

  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

}  // namespace egret
