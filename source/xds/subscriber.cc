#include "source/xds/subscriber.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "source/base/current.h"
#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/base/thread_rank.h"
#include "source/config/duration.h"
#include "source/xds/cpu_budget.h"
#include "source/xds/directory.h"
#include "source/xds/fleet_link.h"
#include "source/xds/inbox.h"
#include "source/xds/last_good.h"
#include "source/xds/node.h"
#include "source/xds/pushed_config.h"
#include "source/xds/server_link.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using Ms = PushedConfig::Ms;
using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr Ms kLookEvery = 1000;     // at the directory
constexpr Ms kSaveEvery = 5000;     // at most
constexpr Ms kSaveAgain = 600'000;  // though nothing has changed, so that it does not grow old
constexpr Ms kInitialFetch = 15'000;
constexpr Ms kMaxAge = 24 * 3'600'000;

Ms Now() { return std::chrono::duration_cast<milliseconds>(Inbox::Clock::now().time_since_epoch()).count(); }

Inbox::Clock::time_point AtMs(Ms time) { return Inbox::Clock::time_point(milliseconds(time)); }

// Of the calling thread.
int64_t CpuUs() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return int64_t{used.tv_sec} * 1'000'000 + used.tv_nsec / 1000;
}

Ms Or(bool set, const google::protobuf::Duration& duration, Ms otherwise) {
  return set ? static_cast<Ms>(Milliseconds(duration)) : otherwise;
}

std::optional<LastGood> LastGoodOf(const config::v1::Xds& xds) {
  if (!xds.has_last_good()) return std::nullopt;
  return LastGood(xds.last_good().directory(),
                  milliseconds(Or(xds.last_good().has_max_age(), xds.last_good().max_age(), kMaxAge)));
}

}  // namespace

class Subscriber::Thread {
 public:
  Thread(std::shared_ptr<const Bootstrap> bootstrap, ConfigSink& sink, const SubscriberOptions& options)
      : bootstrap_(std::move(bootstrap)),
        config_(bootstrap_, sink, options.release),
        own_(OwnBodies(*bootstrap_)),
        last_good_(LastGoodOf(bootstrap_->xds())),
        status_(std::make_shared<PushStatus>()) {
    if (bootstrap_->has_xds()) link_.emplace(*bootstrap_, inbox_, options.keepalive_ms, options.keepalive_timeout_ms);
    if (link_ && options.fleet != nullptr) fleet_.emplace(*bootstrap_, options.release, inbox_, *options.fleet);
    if (bootstrap_->has_directory()) watch_.emplace(bootstrap_->directory().path());
    thread_ = std::thread([this] { Run(); });
  }
  ~Thread() {
    inbox_.Stop();
    thread_.join();
  }

  std::shared_ptr<const PushStatus> Status() const { return status_.Get(); }
  void Hurry() { inbox_.Nudge(); }

 private:
  void Run() {
    ComeAfterWorkers();  // gRPC's threads, too: they start from here
    const Ms begin = Now();
    first_set_due_ = begin + Or(bootstrap_->xds().has_initial_fetch_timeout(),
                                bootstrap_->xds().initial_fetch_timeout(), kInitialFetch);
    LookAtDirectory(begin, true);
    config_.Start(begin);
    changed_ = true;
    Tick();
    for (;;) {
      const Ms from = ResponsesFrom();
      Inbox::Events events = inbox_.Wait(AtMs(Next(from)), AtMs(from));
      if (events.stop) break;
      const WorkInPieces pieces;
      TakeIn(events);
      Tick();
    }
    Save(Now(), true);
  }

  // When responses are taken in. One that may bring what others wait for is never late.
  Ms ResponsesFrom() const { return config_.IsWhole() ? budget_.Due() : 0; }

  // When something is due.
  Ms Next(Ms responses_from) const {
    Ms next = config_.NextTick().value_or(INT64_MAX / 2'000'000);
    if (responses_from > Now()) next = std::min(next, responses_from);
    if (link_) next = std::min(next, link_->NextTick());
    if (fleet_) next = std::min(next, fleet_->NextTick());
    if (watch_) next = std::min(next, next_look_);
    if (!settled_ && link_) next = std::min(next, first_set_due_);
    if (last_good_ && config_.source() == ConfigSource::kXds) next = std::min(next, next_save_);
    return next;
  }

  void TakeIn(const Inbox::Events& events) {
    const Ms now = Now();
    if (!events.responses.empty()) {
      const int64_t begun_us = CpuUs();
      const uint64_t accepted = config_.accepted();
      std::vector<DiscoveryRequest> requests = config_.Take(events.responses, now);
      link_->OnResponses(events.responses);
      if (config_.accepted() != accepted) last_accepted_ = system_clock::now();
      Publish();  // first: whoever hears the answer may ask here what it means
      link_->Send(std::move(requests));
      budget_.Spend(CpuUs() - begun_us, Now());
    }
    if (events.end) {
      config_.End();
      link_->OnEnd(*events.end, now);
    }
    changed_ = changed_ || events.end;
    if (!fleet_) return;
    if (events.nudged) fleet_->Hurry();
    fleet_->Take(events.commands);
    if (events.fleet_end) fleet_->OnEnd(*events.fleet_end, now);
  }

  void Tick() {
    const Ms now = Now();
    if (const auto due = config_.NextTick(); due && *due <= now) {
      Send(config_.Tick(now));
      changed_ = true;
    }
    if (watch_ && now >= next_look_) LookAtDirectory(now, false);
    if (link_ && link_->Tick(now)) {
      config_.End();
      link_->Send(config_.Begin());
      changed_ = true;
    }
    WaitForFirstSet(now);
    if (config_.source() == ConfigSource::kXds && now >= next_save_) Save(now, false);
    if (std::exchange(changed_, false)) Publish();
    if (fleet_) fleet_->Tick(link_->channel(), link_->address(), status_.Get(), now);
  }

  void Send(std::vector<DiscoveryRequest> requests) {
    if (link_) link_->Send(std::move(requests));
  }

  void LookAtDirectory(Ms now, bool first) {
    if (!watch_) return;
    next_look_ = now + kLookEvery;
    if (!watch_->Look()) return;
    changed_ = true;
    DirectorySet set = ReadDirectory(bootstrap_->directory().path(), own_);
    directory_errors_ = std::move(set.errors);
    for (const ConfigError& error : directory_errors_)
      Log(LogComponent::kConfig, LogLevel::kWarning, "directory: ", error.ToString());
    if (HasErrors(directory_errors_)) return;
    ++directory_reloads_;
    if (first)
      config_.OfferFallback(ConfigSource::kDirectory, std::move(set.bodies));
    else
      Send(config_.TakeFallback(ConfigSource::kDirectory, std::move(set.bodies), now));
  }

  // What was kept counts only where no server has said anything for so long, and nothing else was there.
  void WaitForFirstSet(Ms now) {
    if (settled_) return;
    const bool late = !link_ || now >= first_set_due_;
    if (!late && !config_.IsWhole()) return;
    settled_ = changed_ = true;
    if (!late || !last_good_ || config_.responses() > 0 || config_.HasFallback()) return;
    auto kept = last_good_->Load(ReadRulesOf(bootstrap_->xds()), system_clock::now());
    if (!kept) {
      Log(LogComponent::kConfig, LogLevel::kWarning,
          "xds: no server has answered, and of what was kept: ", kept.error().text);
      return;
    }
    Log(LogComponent::kConfig, LogLevel::kWarning, "xds: no server has answered; what was kept is used");
    Send(config_.TakeFallback(ConfigSource::kLastGood, std::move(*kept), now));
  }

  void Save(Ms now, bool at_end) {
    if (!last_good_ || config_.source() != ConfigSource::kXds) return;
    const bool same = config_.applied() == saved_;
    if (same && (at_end || now - saved_at_ < kSaveAgain)) {
      next_save_ = now + kSaveEvery;
      return;
    }
    next_save_ = now + kSaveEvery;
    saved_ = config_.applied();
    saved_at_ = now;
    const auto problem = last_good_->Save(config_.Pushed(), system_clock::now());
    if (problem && problem->text != save_problem_)
      Log(LogComponent::kConfig, LogLevel::kWarning, "xds: last_good: ", problem->text);
    save_problem_ = problem ? problem->text : "";
  }

  void Publish() {
    auto status = std::make_shared<PushStatus>(config_.Status());
    if (link_) link_->Fill(*status);
    if (status->applied != applied_) applied_at_ = system_clock::now();
    applied_ = status->applied;
    status->applied_unix_ms = std::chrono::duration_cast<milliseconds>(applied_at_.time_since_epoch()).count();
    status->settled = settled_;
    status->last_good_unix_ms = std::chrono::duration_cast<milliseconds>(last_accepted_.time_since_epoch()).count();
    status->directory_reloads = directory_reloads_;
    status->directory_errors = directory_errors_;
    status_.Set(std::move(status));
  }

  const std::shared_ptr<const Bootstrap> bootstrap_;
  Inbox inbox_;
  PushedConfig config_;
  const Bodies own_;
  const std::optional<LastGood> last_good_;
  std::optional<ServerLink> link_;
  std::optional<FleetLink> fleet_;
  std::optional<DirectoryWatch> watch_;
  std::vector<ConfigError> directory_errors_;
  uint64_t directory_reloads_ = 0;
  CpuBudget budget_{Now()};
  Ms next_look_ = 0, first_set_due_ = 0;
  Ms next_save_ = 0, saved_at_ = 0;
  uint64_t saved_ = 0;  // which of the applied configurations
  std::string save_problem_;
  uint64_t applied_ = 0;
  system_clock::time_point last_accepted_, applied_at_;
  bool settled_ = false;  // the first set is there, or was waited for long enough
  bool changed_ = false;
  Current<PushStatus> status_;
  std::thread thread_;  // its loop uses all of these
};

Subscriber::Subscriber(SubscriberOptions options) : options_(std::move(options)) {}
Subscriber::~Subscriber() = default;

void Subscriber::Start(std::shared_ptr<const Bootstrap> bootstrap, ConfigSink& sink) {
  thread_ = std::make_unique<Thread>(std::move(bootstrap), sink, options_);
}

void Subscriber::Hurry() {
  if (thread_) thread_->Hurry();
}

void Subscriber::Stop() { thread_.reset(); }

std::shared_ptr<const PushStatus> Subscriber::Status() const {
  return thread_ ? thread_->Status() : std::make_shared<const PushStatus>();
}

}  // namespace egret
