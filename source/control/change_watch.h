// Which decisions a group's next release would change, while a part of its proxies has it: the others preview it, as
// long as no operator previews something else there. Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "source/control/group_preview.h"
#include "source/control/hub.h"
#include "source/control/switchboard.h"

namespace egret {

class ChangeWatch {
 public:
  static constexpr size_t kMostIdentities = 10'000;  // that are told apart

  // The switchboard outlives it.
  explicit ChangeWatch(Switchboard& switchboard) : switchboard_(switchboard) {}

  // What the proxies here have found since the release was given to the first of them, or a halt of it ended.
  struct Found {
    uint64_t compared = 0, changed = 0;  // decisions
    size_t identities = 0;               // whose decisions would change; addresses, where nobody says who it is
    std::string example;                 // the first of them, for operators to read
  };

  // Every second or so, of a group whose next release a part of its proxies has.
  void Follow(const std::string& group, const Hub::Group& state);
  // Of any other.
  void Drop(const std::string& group);
  Found Look(const std::string& group) const;

  // While an operator's preview lives: a proxy has one at a time.
  class Pause {
   public:
    Pause(ChangeWatch& watch, std::string group);
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause();

   private:
    ChangeWatch& watch_;
    const std::string group_;
  };

 private:
  using Clock = std::chrono::steady_clock;
  struct Watch {
    std::string release;
    std::unique_ptr<GroupPreview> preview;  // null: none is under way
    Clock::time_point next_try{};
    uint64_t compared_before = 0;  // by earlier ones
    uint64_t compared_now = 0;
    uint64_t changed = 0;
    std::set<std::string> who;
    std::string example;
  };
  void Begin(const std::string& group, const Hub::Group& state, Watch& watch);
  static void TakeIn(Watch& watch);
  static void End(Watch& watch);

  Switchboard& switchboard_;
  mutable std::mutex mutex_;
  std::map<std::string, Watch> watches_;     // by group
  std::map<std::string, size_t> operators_;  // their previews, by group
};

}  // namespace egret
