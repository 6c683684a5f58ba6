// What this process tells the control plane of itself, and what it does on its word. On the config thread, but for what
// it posts elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "source/event/loop.h"
#include "source/server/fleet_outbox.h"
#include "source/server/fleet_preview.h"
#include "source/server/fleet_tails.h"
#include "source/server/previews.h"
#include "source/server/worker_thread.h"
#include "source/xds/fleet_host.h"

namespace egret {

class FleetAgent final : public FleetHost {
 public:
  using Workers = std::vector<std::unique_ptr<WorkerThread>>;
  // A command that is older, or as far in the future, was meant for another time.
  static constexpr int64_t kObeyWithinSeconds = 300;

  // What the server does for it. Called on the main loop's thread.
  struct Hooks {
    std::function<void()> quit;   // as on SIGTERM
    std::function<void()> hurry;  // a report before its time
  };
  // All outlive it.
  FleetAgent(Loop& main, const Workers& workers, Previews& previews, Hooks hooks)
      : main_(main),
        workers_(workers),
        quit_(std::move(hooks.quit)),
        outbox_(std::move(hooks.hurry)),
        preview_(previews, outbox_),
        tails_(workers, main, outbox_) {}

  // On the main thread, once the config thread has ended and before the workers do.
  void Stop();

  void Tell(control::v1::Report& report) override;
  void Forget() override;
  void Obey(const control::v1::Command& command) override;

 private:
  struct RuleDecisions {
    uint64_t allowed = 0, denied = 0;
  };
  using Rule = std::pair<std::string, std::string>;  // of policy and rule the names
  using Decisions = std::map<Rule, RuleDecisions>;
  class Gathered;

  void TellDecisions(control::v1::Report& report);
  void TellFailures(control::v1::Report& report);
  void Drain(const control::v1::Drain& drain);

  Loop& main_;
  const Workers& workers_;
  const std::function<void()> quit_;
  FleetOutbox outbox_;
  FleetPreview preview_;  // the main thread's
  FleetTails tails_;      // too
  std::shared_ptr<Gathered> gathered_;
  Decisions told_;
  uint64_t requests_told_ = 0, failures_told_ = 0;
};

}  // namespace egret
