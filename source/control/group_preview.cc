#include "source/control/group_preview.h"

#include <algorithm>
#include <utility>

#include "source/control/order_id.h"
#include "source/xds/told_change.h"

namespace egret {
namespace {

using control::v1::ChangedDecision;
using control::v1::PreviewStatus;

void Add(const PreviewStatus& more, PreviewStatus& sum) {
  sum.set_decisions(sum.decisions() + more.decisions());
  sum.set_skipped(sum.skipped() + more.skipped());
  sum.set_overflow(sum.overflow() + more.overflow());
}

}  // namespace

GroupPreview::GroupPreview(Switchboard& switchboard, Switchboard::Proxy whom, Anys resources, std::chrono::seconds time)
    : switchboard_(switchboard),
      whom_(std::move(whom)),
      id_(NewOrderId("preview")),
      resources_(std::move(resources)),
      time_(time) {}

GroupPreview::~GroupPreview() {
  if (!joined_) return;
  switchboard_.Leave(*this);
  switchboard_.Tell(whom_, BeginFor(std::chrono::seconds(0)));
}

bool GroupPreview::Begin() {
  joined_ = switchboard_.Join(*this);
  if (!joined_) return false;
  const size_t told = switchboard_.Tell(whom_, BeginFor(time_));
  const std::lock_guard lock(mutex_);
  told_ += told;
  return true;
}

void GroupPreview::TellLate() {
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(end_ - Clock::now());
  if (late_.empty() || left.count() < 1) return;
  const size_t told = late_.Tell(switchboard_, whom_.first, BeginFor(left));
  const std::lock_guard lock(mutex_);
  told_ += told;
}

// For no time at all: it ends.
control::v1::Command GroupPreview::BeginFor(std::chrono::seconds time) const {
  control::v1::Command command;
  control::v1::Preview& preview = *command.mutable_preview();
  preview.set_id(id_);
  if (time.count() == 0) return command;
  *preview.mutable_resources() = resources_;
  preview.mutable_duration()->set_seconds(time.count());
  return command;
}

void GroupPreview::Hear(const Switchboard::Proxy& proxy, const control::v1::Report& report) {
  if (proxy.first != whom_.first || (!whom_.second.empty() && proxy.second != whom_.second)) return;
  const std::lock_guard lock(mutex_);
  if (report.has_node()) return Welcome(proxy.second);
  for (const ChangedDecision& told : report.changes()) {
    if (told.id() != id_) continue;
    const PolicyChange change = ChangeOf(told);
    const ChangeCount count = CountOf(told);
    if (all_.Add(change, count)) fresh_[change].Add(count);
  }
  for (const PreviewStatus& status : report.previews()) {
    if (status.id() != id_) continue;
    by_proxy_[proxy.second] = status;
    if (!status.errors().empty()) refusals_.insert(proxy.second);
  }
}

// What was there before counts on, and is told anew.
void GroupPreview::Welcome(const std::string& proxy) {
  if (!late_.Add(proxy)) return;
  const auto before = by_proxy_.find(proxy);
  if (before == by_proxy_.end()) return;
  Add(before->second, past_);
  by_proxy_.erase(before);
  --told_;
}

GroupPreview::News GroupPreview::Take() {
  const std::lock_guard lock(mutex_);
  News news;
  news.told = told_;
  PreviewStatus sum = past_;
  for (const auto& [proxy, status] : by_proxy_) {
    Add(status, sum);
    news.ended += status.ended() ? 1 : 0;
  }
  news.decisions = sum.decisions();
  news.skipped = sum.skipped();
  news.overflow = sum.overflow() + all_.overflow();
  news.changes = std::exchange(fresh_, {});
  for (const std::string& proxy : std::exchange(refusals_, {})) {
    control::v1::ProxyRefusal& refusal = news.refusals.emplace_back();
    refusal.set_proxy(proxy);
    *refusal.mutable_errors() = by_proxy_[proxy].errors();
  }
  return news;
}

bool GroupPreview::HasEnded() const {
  const std::lock_guard lock(mutex_);
  const auto ended = [](const auto& entry) { return entry.second.ended(); };
  return told_ > 0 && late_.empty() && by_proxy_.size() >= told_ &&
         std::all_of(by_proxy_.begin(), by_proxy_.end(), ended);
}

}  // namespace egret
