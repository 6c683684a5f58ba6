#include "source/server/live_config.h"

#include <chrono>
#include <deque>
#include <utility>

#include "source/base/log.h"
#include "source/base/thread_rank.h"
#include "source/config/validate.h"
#include "source/event/pending.h"

namespace egret {
namespace {

using Clock = std::chrono::steady_clock;

int64_t Ms(Clock::duration time) { return std::chrono::duration_cast<std::chrono::milliseconds>(time).count(); }

}  // namespace

// A configuration on its way from the thread that made it to the main one.
struct LiveConfig::Order {
  PreparedConfiguration prepared;
  std::shared_ptr<const Configuration> before;  // freed on that thread: it may be large
  bool done = false;
};

LiveConfig::LiveConfig(Loop& main, ConfigurationMaker& maker, const std::vector<std::unique_ptr<WorkerThread>>& workers,
                       SecretWatch& secrets)
    : main_(main), maker_(maker), workers_(workers), secrets_(secrets) {}

Result<PreparedConfiguration, std::vector<ConfigError>> LiveConfig::Start(
    std::shared_ptr<const config::v1::Bootstrap> bootstrap, HandedSockets& handed) {
  auto prepared = maker_.Make(std::move(bootstrap), nullptr, handed);
  if (!prepared) return prepared;
  now_ = prepared->next;
  Commit(*now_);
  return prepared;
}

std::vector<ConfigError> LiveConfig::Apply(std::shared_ptr<const config::v1::Bootstrap> effective) {
  const std::lock_guard one(applying_);
  ComeAfterWorkers();
  const WorkInPieces pieces;
  const Clock::time_point begin = Clock::now();
  // What is in force changes by this function alone, so that it may be read here.
  std::vector<ConfigError> errors = ValidateUncompiled(*effective, *now_->bootstrap);
  if (HasErrors(errors)) return errors;
  const Clock::time_point valid = Clock::now();
  auto prepared = maker_.Make(std::move(effective), now_.get(), handed_);
  if (!prepared) return prepared.error();
  const Clock::time_point made = Clock::now();
  const auto order = std::make_shared<Order>();
  order->prepared = std::move(*prepared);
  std::unique_lock lock(mutex_);
  if (stopped_) return {};
  main_.mailbox()->Post([this, order] { tasks_.Start(PutInForce(order)); });
  done_.wait(lock, [&] { return order->done || stopped_; });
  Log(LogComponent::kConfig, LogLevel::kDebug, "another configuration is in force: judged in ", Ms(valid - begin),
      " ms, made in ", Ms(made - valid), " ms, taken up in ", Ms(Clock::now() - made), " ms");
  return {};
}

void LiveConfig::Hand(HandedSockets handed) {
  const std::lock_guard one(applying_);
  handed_ = std::move(handed);
}

void LiveConfig::Stop() {
  tasks_.Clear();
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  done_.notify_all();
}

Task<void> LiveConfig::PutInForce(std::shared_ptr<Order> order) {
  PreparedConfiguration& prepared = order->prepared;
  std::vector<WorkerChange> closing(workers_.size()), taking(workers_.size()), opening(workers_.size());
  for (size_t i = 0; i < workers_.size(); ++i) {
    closing[i].close = prepared.closed;
    taking[i].take = prepared.next->snapshot();
    opening[i].open = std::move(prepared.opened[i]);
  }
  if (!prepared.closed.empty()) co_await ChangeAll(std::move(closing));
  Commit(*prepared.next);
  // A connection may be handed from one worker to another: nobody accepts for chains that another does not know yet.
  co_await ChangeAll(std::move(taking));
  co_await ChangeAll(std::move(opening));
  {
    const std::lock_guard lock(mutex_);
    order->before = std::exchange(now_, prepared.next);
    order->done = true;
    done_.notify_all();
  }
}

Task<void> LiveConfig::ChangeAll(std::vector<WorkerChange> changes) {
  std::deque<Pending<bool>> answers;
  for (size_t i = 0; i < changes.size(); ++i) {
    Pending<bool>& answer = answers.emplace_back();
    const auto done = [state = answer.state(), main = main_.mailbox()] {
      Pending<bool>::FulfilFrom(main, state, true);
    };
    if (!workers_[i]->Change(std::move(changes[i]), done)) answers.pop_back();
  }
  for (Pending<bool>& answer : answers) co_await answer;
}

void LiveConfig::Commit(const Configuration& next) {
  for (const egret::Commit& commit : next.built.commits) commit();
  secrets_.Watch(next.built.secrets, next.built.renewables);
}

}  // namespace egret
