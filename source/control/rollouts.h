// How a group's next release comes to its proxies: an operator says to how many of 100, and what proxies say of
// themselves halts it. Nothing goes on, and nothing is taken back, by itself. Thread-safe; blocks on the disk.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "egret/control/v1/control.pb.h"
#include "source/base/result.h"
#include "source/control/change_watch.h"
#include "source/control/hub.h"
#include "source/control/rollout_files.h"
#include "source/control/roster.h"
#include "source/control/ticker.h"

namespace egret {

class Rollouts {
 public:
  // `identifier`: for others to know who halted. `folder`: see RolloutFiles. The others outlive it.
  Rollouts(std::string identifier, std::string folder, Hub& hub, const Roster& roster, ChangeWatch& watch)
      : identifier_(std::move(identifier)), files_(std::move(folder)), hub_(hub), roster_(roster), watch_(watch) {}

  // Takes in what other replicas wrote, and halts what has to be.
  void Look();
  // Looks, and goes on doing so on a thread of its own until Stop.
  void Start();
  void Stop() { ticker_.Stop(); }

  // `by`: who says so. The problem says why it is not done.
  Result<control::v1::Rollout, Problem> Advance(const control::v1::AdvanceRequest& request, const std::string& by);
  Result<control::v1::Rollout, Problem> Halt(const control::v1::HaltRequest& request, const std::string& by);
  // Nothing: the group has no next release.
  std::optional<control::v1::Rollout> Tell(const std::string& name, const Hub::Group& group,
                                           const std::vector<Proxy>& proxies) const;

 private:
  struct Known {
    std::string release;
    std::optional<control::v1::RolloutStep> step;
    std::optional<control::v1::RolloutHalt> halt;
    bool halt_written = false;
    std::string told;  // what the log said of the files last

    uint32_t percent() const { return step ? step->percent() : 0; }
    // Some have it, some have not, and it goes on.
    bool partly() const { return percent() > 0 && percent() < 100 && !halt; }
  };

  Known& KnownOf(const std::string& name, const Hub::Group& group);
  void TakeIn(const std::string& name, Known& known);
  void Watch(const std::string& name, const Hub::Group& group, const Known& known);
  void Judge(const std::string& name, const Hub::Group& group, const std::vector<Proxy>& proxies, Known& known);
  void Halt(const std::string& name, Known& known, const std::string& reason, const std::string& by);
  void TellHub(const std::string& name, const Known& known);
  std::optional<Problem> Advance(const control::v1::AdvanceRequest& request, const std::string& by, Known& known);
  // The group with its next release, or that there is none.
  Result<Hub::Group, Problem> Find(const std::string& name) const;
  static void Warn(const std::string& name, Known& known, const std::string& text);

  const std::string identifier_;
  const RolloutFiles files_;
  Hub& hub_;
  const Roster& roster_;
  ChangeWatch& watch_;
  mutable std::mutex mutex_;
  std::map<std::string, Known> known_;  // by group
  Ticker ticker_;
};

}  // namespace egret
