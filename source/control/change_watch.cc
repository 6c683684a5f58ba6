#include "source/control/change_watch.h"

#include <utility>

#include "source/base/strings.h"
#include "source/control/publication.h"

namespace egret {
namespace {

constexpr std::chrono::hours kTime{24};        // what a proxy takes at most
constexpr std::chrono::seconds kTryAgain{30};  // where proxies would not, or it was over

std::string ExampleOf(const PolicyChange& change) {
  const auto side = [](const PolicyChange::Side& decision) {
    return Cat(decision.verdict, decision.rule.empty() ? "" : " by ", decision.policy,
               decision.policy.empty() || decision.rule.empty() ? "" : "/", decision.rule);
  };
  return Cat(change.who, " asks for ", change.target, ": ", side(change.live), " now, ", side(change.candidate),
             " then");
}

}  // namespace

void ChangeWatch::Follow(const std::string& group, const Hub::Group& state) {
  const std::lock_guard lock(mutex_);
  Watch& watch = watches_[group];
  if (watch.release != state.next->version) {
    watch = Watch();
    watch.release = state.next->version;
  }
  if (watch.preview) {
    watch.preview->TellLate();
    TakeIn(watch);
    if (watch.preview->IsOver() || watch.preview->HasEnded()) End(watch);
  } else if (!operators_.contains(group) && Clock::now() >= watch.next_try) {
    Begin(group, state, watch);
  }
}

void ChangeWatch::Begin(const std::string& group, const Hub::Group& state, Watch& watch) {
  watch.next_try = Clock::now() + kTryAgain;
  auto changes = state.publication ? PreviewedChanges(*state.publication, *state.next) : std::nullopt;
  if (!changes || changes->empty()) return;  // no matter of a preview
  auto preview =
      std::make_unique<GroupPreview>(switchboard_, Switchboard::Proxy{group, ""}, std::move(*changes), kTime);
  if (preview->Begin()) watch.preview = std::move(preview);
}

void ChangeWatch::TakeIn(Watch& watch) {
  GroupPreview::News news = watch.preview->Take();
  watch.compared_now = news.decisions;
  for (const auto& [change, count] : news.changes) {
    watch.changed += count.count;
    if (watch.who.size() < kMostIdentities) watch.who.insert(change.who);
    if (watch.example.empty()) watch.example = ExampleOf(change);
  }
}

void ChangeWatch::End(Watch& watch) {
  TakeIn(watch);
  watch.preview.reset();
  watch.compared_before += std::exchange(watch.compared_now, 0);
  watch.next_try = Clock::now() + kTryAgain;
}

void ChangeWatch::Drop(const std::string& group) {
  const std::lock_guard lock(mutex_);
  watches_.erase(group);
}

ChangeWatch::Found ChangeWatch::Look(const std::string& group) const {
  const std::lock_guard lock(mutex_);
  const auto found = watches_.find(group);
  if (found == watches_.end()) return {};
  const Watch& watch = found->second;
  return {watch.compared_before + watch.compared_now, watch.changed, watch.who.size(), watch.example};
}

ChangeWatch::Pause::Pause(ChangeWatch& watch, std::string group) : watch_(watch), group_(std::move(group)) {
  const std::lock_guard lock(watch_.mutex_);
  ++watch_.operators_[group_];
  const auto running = watch_.watches_.find(group_);
  if (running != watch_.watches_.end() && running->second.preview) End(running->second);
}

ChangeWatch::Pause::~Pause() {
  const std::lock_guard lock(watch_.mutex_);
  const auto count = watch_.operators_.find(group_);
  if (--count->second > 0) return;
  watch_.operators_.erase(count);
  if (const auto waiting = watch_.watches_.find(group_); waiting != watch_.watches_.end())
    waiting->second.next_try = {};
}

}  // namespace egret
