#include "source/server/fleet_agent.h"

#include <time.h>

#include <cstdlib>
#include <mutex>

#include "source/base/failure.h"
#include "source/base/log.h"

namespace egret {
namespace {

using control::v1::Command;
using control::v1::Report;

// What nobody but this process is to blame for.
constexpr Fault kLocalFaults[] = {Fault::kOverload, Fault::kDescriptorsExhausted, Fault::kLocalPortExhausted,
                                  Fault::kNoLeaf, Fault::kInternal};

void Warn(std::string_view text) { Log(LogComponent::kServer, LogLevel::kWarning, "fleet: ", text); }

}  // namespace

// What each worker decided since it began, as it said it last. Thread-safe.
class FleetAgent::Gathered {
 public:
  explicit Gathered(size_t workers) : by_worker_(workers) {}

  void Put(size_t worker, Decisions decisions) {
    const std::lock_guard lock(mutex_);
    by_worker_[worker] = std::move(decisions);
  }
  Decisions Sum() const {
    const std::lock_guard lock(mutex_);
    Decisions sum;
    for (const Decisions& own : by_worker_)
      for (const auto& [rule, decisions] : own) {
        sum[rule].allowed += decisions.allowed;
        sum[rule].denied += decisions.denied;
      }
    return sum;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Decisions> by_worker_;
};

void FleetAgent::Tell(Report& report) {
  TellDecisions(report);
  TellFailures(report);
  outbox_.MoveTo(report);
}

void FleetAgent::Forget() {
  main_.mailbox()->Post([this] {
    Stop();
    outbox_.Clear();
  });
}

void FleetAgent::Stop() {
  preview_.Stop();
  tails_.Stop();
}

// As of the report before: nobody waits for a worker.
void FleetAgent::TellDecisions(Report& report) {
  if (!gathered_) gathered_ = std::make_shared<Gathered>(workers_.size());
  Decisions now = gathered_->Sum();
  for (const auto& [rule, decisions] : now) {
    const RuleDecisions& before = told_[rule];
    if (decisions.allowed == before.allowed && decisions.denied == before.denied) continue;
    control::v1::RuleCount& count = *report.add_counts();
    count.set_policy(rule.first);
    count.set_rule(rule.second);
    count.set_allowed(decisions.allowed - before.allowed);
    count.set_denied(decisions.denied - before.denied);
  }
  told_ = std::move(now);
  for (size_t i = 0; i < workers_.size(); ++i)
    workers_[i]->Post([gathered = gathered_, i](Worker& worker) {
      Decisions own;
      worker.decisions().ForEach([&own](const DecisionCounts::Key& key, uint64_t count) {
        RuleDecisions& rule = own[{key.policy, key.rule}];
        (key.action == "deny" || key.action == "challenge" ? rule.denied : rule.allowed) += count;
      });
      gathered->Put(i, std::move(own));
    });
}

void FleetAgent::TellFailures(Report& report) {
  uint64_t requests = 0, failures = 0;
  for (const auto& worker : workers_) {
    requests += worker->counters().requests.Read();
    for (const Fault fault : kLocalFaults) failures += worker->counters().failures[static_cast<size_t>(fault)].Read();
  }
  report.set_requests(requests - std::exchange(requests_told_, requests));
  report.set_local_failures(failures - std::exchange(failures_told_, failures));
}

void FleetAgent::Obey(const Command& command) {
  switch (command.command_case()) {
    case Command::kDrain:
      return Drain(command.drain());
    case Command::kPreview:
      main_.mailbox()->Post([this, order = command.preview()] { preview_.Obey(order); });
      return;
    case Command::kTail:
      main_.mailbox()->Post([this, order = command.tail()] { tails_.Obey(order); });
      return;
    default:
      return Warn("the control plane asks for what this release does not do");
  }
}

void FleetAgent::Drain(const control::v1::Drain& drain) {
  if (std::llabs(time(nullptr) - drain.at().seconds()) > kObeyWithinSeconds)
    return Warn("the control plane's word to drain is not of now, and is not obeyed");
  Warn("the control plane says: drain");
  main_.mailbox()->Post(quit_);
}

}  // namespace egret
