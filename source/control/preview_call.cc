#include "source/control/preview_call.h"

#include <algorithm>
#include <utility>

#include "source/control/candidate.h"
#include "source/control/order_id.h"
#include "source/xds/told_change.h"

namespace egret {
namespace {

using control::v1::ChangedDecision;
using control::v1::PreviewStatus;

constexpr std::chrono::seconds kTellEvery{1};
constexpr std::chrono::seconds kLinger{6};  // a proxy that is in time reports within 5 s

void Add(const PreviewStatus& more, PreviewStatus& sum) {
  sum.set_decisions(sum.decisions() + more.decisions());
  sum.set_skipped(sum.skipped() + more.skipped());
  sum.set_overflow(sum.overflow() + more.overflow());
}

}  // namespace

PreviewCall::PreviewCall(const control::v1::PreviewRequest& request, GroupFiles files, Switchboard& switchboard)
    : request_(request), files_(std::move(files)), switchboard_(switchboard), id_(NewOrderId("preview")) {}

grpc::Status PreviewCall::Run() {
  auto candidate = MakeCandidate(files_, request_.resources());
  if (!candidate) {
    News news;
    for (const control::v1::Rejection& rejection : candidate.error()) *news.add_refused() = rejection;
    Write(news);
    return grpc::Status::OK;
  }
  control::v1::Preview preview;
  preview.set_id(id_);
  *preview.mutable_resources() = std::move(*candidate);
  if (!switchboard_.Join(*this)) return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many operators follow something"};
  grpc::Status status = Follow(preview);
  switchboard_.Leave(*this);
  control::v1::Command end;
  end.mutable_preview()->set_id(id_);
  switchboard_.Tell({request_.group(), request_.proxy()}, end);
  return status;
}

grpc::Status PreviewCall::Follow(const control::v1::Preview& preview) {
  const Clock::time_point end = Clock::now() + std::chrono::seconds(request_.duration().seconds());
  control::v1::Command begin;
  *begin.mutable_preview() = preview;
  *begin.mutable_preview()->mutable_duration() = request_.duration();
  const size_t told = switchboard_.Tell({request_.group(), request_.proxy()}, begin);
  {
    const std::lock_guard lock(mutex_);
    told_ += told;
  }
  if (!Write(Next()) || told == 0) return grpc::Status::OK;
  while (WaitFor(kTellEvery)) {
    const auto now = Clock::now();
    if (now >= end + kLinger || AllEnded()) {
      News last = Next();
      last.set_over(now >= end);
      Write(last);
      break;
    }
    if (now < end) TellLate(preview, end);
    if (!Write(Next())) break;
  }
  return grpc::Status::OK;
}

// Who was away, or has come to the group.
void PreviewCall::TellLate(const control::v1::Preview& preview, Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::seconds>(end - Clock::now());
  if (late_.empty() || left.count() < 1) return;
  control::v1::Command begin;
  *begin.mutable_preview() = preview;
  begin.mutable_preview()->mutable_duration()->set_seconds(left.count());
  const size_t told = late_.Tell(switchboard_, request_.group(), begin);
  const std::lock_guard lock(mutex_);
  told_ += told;
}

void PreviewCall::Hear(const Switchboard::Proxy& proxy, const control::v1::Report& report) {
  if (proxy.first != request_.group() || (!request_.proxy().empty() && proxy.second != request_.proxy())) return;
  const std::lock_guard lock(mutex_);
  if (report.has_node()) return Welcome(proxy.second);
  for (const ChangedDecision& told : report.changes()) {
    if (told.id() != id_) continue;
    const PolicyChange change = ChangeOf(told);
    const ChangeCount count = CountOf(told);
    if (all_.Add(change, count)) fresh_[change].Add(count);
  }
  for (const PreviewStatus& status : report.previews())
    if (status.id() == id_) TakeIn(proxy.second, status);
}

// What was there before counts on, and is told anew.
void PreviewCall::Welcome(const std::string& proxy) {
  if (!late_.Add(proxy)) return;
  const auto before = by_proxy_.find(proxy);
  if (before == by_proxy_.end()) return;
  Add(before->second, past_);
  by_proxy_.erase(before);
  --told_;
}

void PreviewCall::TakeIn(const std::string& proxy, const PreviewStatus& status) {
  by_proxy_[proxy] = status;
  if (!status.errors().empty()) refusals_.insert(proxy);
}

PreviewCall::News PreviewCall::Next() {
  const std::lock_guard lock(mutex_);
  News news;
  news.set_told(static_cast<uint32_t>(told_));
  PreviewStatus sum = past_;
  for (const auto& [proxy, status] : by_proxy_) {
    Add(status, sum);
    news.set_ended(news.ended() + (status.ended() ? 1 : 0));
  }
  news.set_decisions(sum.decisions());
  news.set_skipped(sum.skipped());
  news.set_overflow(sum.overflow() + all_.overflow());
  for (const auto& [change, count] : fresh_) *news.add_changes() = ToldOf(change, count);
  fresh_.clear();
  for (const std::string& proxy : std::exchange(refusals_, {})) {
    control::v1::ProxyRefusal& refusal = *news.add_refusals();
    refusal.set_proxy(proxy);
    *refusal.mutable_errors() = by_proxy_[proxy].errors();
  }
  return news;
}

bool PreviewCall::AllEnded() {
  const std::lock_guard lock(mutex_);
  const auto ended = [](const auto& entry) { return entry.second.ended(); };
  return late_.empty() && by_proxy_.size() >= told_ && std::all_of(by_proxy_.begin(), by_proxy_.end(), ended);
}

}  // namespace egret
