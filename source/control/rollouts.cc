#include "source/control/rollouts.h"

#include <time.h>

#include <chrono>
#include <utility>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/config/error.h"
#include "source/control/gate.h"

namespace egret {

using control::v1::AdvanceRequest;
using control::v1::HaltRequest;
using control::v1::Rollout;
using control::v1::RolloutHalt;
using control::v1::RolloutStep;

namespace {

constexpr size_t kMostText = 500;
constexpr uint32_t kAll = 100;

// For a file, the log and terminals: what others say is one line of ASCII there.
std::string OneLine(std::string_view text) {
  std::string line(text.substr(0, kMostText));
  for (char& c : line)
    if (c < ' ' || c > '~') c = '?';
  return line;
}

void SetNow(google::protobuf::Timestamp& stamp) { stamp.set_seconds(time(nullptr)); }

}  // namespace

void Rollouts::Look() {
  const auto groups = hub_.Look();
  std::optional<std::vector<Proxy>> proxies;  // there may be many: only where they are needed
  for (const auto& [name, group] : groups) {
    if (!group.next) {
      watch_.Drop(name);
      continue;
    }
    const std::lock_guard lock(mutex_);
    Known& known = KnownOf(name, group);
    TakeIn(name, known);
    Watch(name, group, known);
    if (known.percent() > 0 && !known.halt) {
      if (!proxies) proxies = roster_.Look();
      Judge(name, group, *proxies, known);
    }
    TellHub(name, known);
  }
}

void Rollouts::Start() {
  Look();
  ticker_.Start([this] { Look(); });
}

Rollouts::Known& Rollouts::KnownOf(const std::string& name, const Hub::Group& group) {
  Known& known = known_[name];
  if (known.release != group.next->version) {
    known = Known();
    known.release = group.next->version;
  }
  return known;
}

// A folder that is not there, or holds less, takes nothing back: what was given stays given.
void Rollouts::TakeIn(const std::string& name, Known& known) {
  auto step = files_.Step(name, known.release);
  auto halt = files_.Halt(name, known.release);
  if (!step) return Warn(name, known, step.error().text);
  if (!halt) return Warn(name, known, halt.error().text);
  if (*step && (*step)->percent() >= known.percent()) known.step = std::move(*step);
  if (*halt || known.halt_written) known.halt = std::move(*halt);
  known.halt_written = known.halt && (known.halt_written || *halt);
}

void Rollouts::Watch(const std::string& name, const Hub::Group& group, const Known& known) {
  known.partly() ? watch_.Follow(name, group) : watch_.Drop(name);
}

void Rollouts::Judge(const std::string& name, const Hub::Group& group, const std::vector<Proxy>& proxies,
                     Known& known) {
  std::string reason = ReasonToHalt(name, group, proxies);
  if (reason.empty() && known.step->has_most_changed_identities())
    reason = ReasonToHalt(watch_.Look(name), known.step->most_changed_identities());
  if (!reason.empty()) Halt(name, known, reason, identifier_);
}

void Rollouts::Halt(const std::string& name, Known& known, const std::string& reason, const std::string& by) {
  RolloutHalt& halt = known.halt.emplace();
  halt.set_release(known.release);
  halt.set_reason(OneLine(reason));
  halt.set_by(by);
  SetNow(*halt.mutable_at());
  Log(LogComponent::kConfig, LogLevel::kWarning, "group ", name, ": release ", known.release, " is halted by ", by,
      ": ", halt.reason());
  const auto problem = files_.Write(name, halt);
  known.halt_written = !problem;
  if (problem) Warn(name, known, Cat("that it is halted other replicas do not know: ", problem->text));
}

void Rollouts::TellHub(const std::string& name, const Known& known) {
  hub_.Advance(name, {.release = known.release, .percent = known.percent(), .halted = known.halt.has_value()});
}

Result<Hub::Group, Problem> Rollouts::Find(const std::string& name) const {
  auto groups = hub_.Look();
  const auto found = groups.find(name);
  if (found == groups.end()) return Problem{Cat("no group ", ShownValue(name), " here")};
  if (!found->second.next)
    return Problem{Cat("group ", name, " has no next release; put its files into ", name, "/next")};
  return std::move(found->second);
}

Result<Rollout, Problem> Rollouts::Advance(const AdvanceRequest& request, const std::string& by) {
  const auto group = Find(request.group());
  if (!group) return group.error();
  const auto proxies = roster_.Look();
  {
    const std::lock_guard lock(mutex_);
    Known& known = KnownOf(request.group(), *group);
    TakeIn(request.group(), known);
    if (!known.halt && known.percent() > 0) Judge(request.group(), *group, proxies, known);
    const auto problem = Advance(request, by, known);
    TellHub(request.group(), known);
    if (problem) return *problem;
  }
  return *Tell(request.group(), *group, roster_.Look());
}

std::optional<Problem> Rollouts::Advance(const AdvanceRequest& request, const std::string& by, Known& known) {
  if (!request.release().empty() && request.release() != known.release)
    return Problem{Cat("the next release is ", known.release, " by now")};
  if (request.percent() == 0 || request.percent() > kAll) return Problem{"of 100 proxies, 1 to 100 can be given it"};
  if (request.percent() < known.percent())
    return Problem{Cat(known.percent(), " of 100 have been given it, and nothing is taken back; to do that, remove ",
                       request.group(), "/next")};
  if (known.halt && !request.resume())
    return Problem{Cat("halted by ", known.halt->by(), ": ", known.halt->reason(),
                       "; put another release in its place, or resume it")};
  RolloutStep step;
  step.set_release(known.release);
  step.set_percent(request.percent());
  if (request.has_most_changed_identities())
    step.set_most_changed_identities(request.most_changed_identities());
  else if (known.step && known.step->has_most_changed_identities())
    step.set_most_changed_identities(known.step->most_changed_identities());
  step.set_by(by);
  SetNow(*step.mutable_at());
  if (auto problem = files_.Write(request.group(), step)) return problem;
  if (auto problem = files_.EndHalt(request.group())) return problem;
  known.halt.reset();
  known.step = std::move(step);
  Log(LogComponent::kConfig, LogLevel::kInfo, "group ", request.group(), ": release ", known.release, " is given to ",
      request.percent(), " of 100 proxies; ", by, " says so");
  return std::nullopt;
}

Result<Rollout, Problem> Rollouts::Halt(const HaltRequest& request, const std::string& by) {
  const auto group = Find(request.group());
  if (!group) return group.error();
  {
    const std::lock_guard lock(mutex_);
    Known& known = KnownOf(request.group(), *group);
    TakeIn(request.group(), known);
    if (!known.halt)
      Halt(request.group(), known, request.reason().empty() ? "an operator says so" : request.reason(), by);
    TellHub(request.group(), known);
  }
  return *Tell(request.group(), *group, roster_.Look());
}

std::optional<Rollout> Rollouts::Tell(const std::string& name, const Hub::Group& group,
                                      const std::vector<Proxy>& proxies) const {
  if (!group.next && group.next_errors.empty()) return std::nullopt;
  Rollout rollout;
  rollout.set_group(name);
  for (const ConfigError& error : group.next_errors)
    if (!error.warning()) rollout.add_problems(error.ToString());
  if (!group.next) return rollout;
  rollout.set_release(group.next->version);
  rollout.mutable_since()->set_seconds(
      std::chrono::duration_cast<std::chrono::seconds>(group.next_since.time_since_epoch()).count());
  for (const Proxy& proxy : proxies) {
    if (proxy.group != name || proxy.streams == 0 || proxy.offered != group.next->version) continue;
    rollout.set_proxies_given(rollout.proxies_given() + 1);
    if (proxy.version == proxy.offered) rollout.set_proxies_settled(rollout.proxies_settled() + 1);
  }
  const std::lock_guard lock(mutex_);
  const auto known = known_.find(name);
  if (known == known_.end() || known->second.release != rollout.release()) return rollout;
  rollout.set_percent(known->second.percent());
  if (const auto& step = known->second.step) {
    rollout.set_advanced_by(step->by());
    if (step->has_most_changed_identities()) rollout.set_most_changed_identities(step->most_changed_identities());
  }
  const ChangeWatch::Found found = watch_.Look(name);
  rollout.set_decisions_compared(found.compared);
  rollout.set_decisions_changed(found.changed);
  rollout.set_identities_changed(static_cast<uint32_t>(found.identities));
  if (known->second.halt) *rollout.mutable_halt() = *known->second.halt;
  return rollout;
}

void Rollouts::Warn(const std::string& name, Known& known, const std::string& text) {
  if (std::exchange(known.told, text) != text)
    Log(LogComponent::kConfig, LogLevel::kWarning, "group ", name, ": roll-out: ", text);
}

}  // namespace egret
