#include "source/control/preview_call.h"

#include <utility>

#include "source/control/candidate.h"
#include "source/xds/told_change.h"

namespace egret {
namespace {

using control::v1::PreviewNews;

constexpr std::chrono::seconds kTellEvery{1};

PreviewNews Told(GroupPreview::News found) {
  PreviewNews news;
  news.set_told(static_cast<uint32_t>(found.told));
  news.set_ended(static_cast<uint32_t>(found.ended));
  news.set_decisions(found.decisions);
  news.set_skipped(found.skipped);
  news.set_overflow(found.overflow);
  for (const auto& [change, count] : found.changes) *news.add_changes() = ToldOf(change, count);
  for (control::v1::ProxyRefusal& refusal : found.refusals) *news.add_refusals() = std::move(refusal);
  return news;
}

}  // namespace

PreviewCall::PreviewCall(const control::v1::PreviewRequest& request, GroupFiles files, Switchboard& switchboard,
                         ChangeWatch& watch)
    : request_(request), files_(std::move(files)), switchboard_(switchboard), watch_(watch) {}

grpc::Status PreviewCall::Run() {
  auto candidate = MakeCandidate(files_, request_.resources());
  if (!candidate) {
    PreviewNews news;
    for (const control::v1::Rejection& rejection : candidate.error()) *news.add_refused() = rejection;
    Write(news);
    return grpc::Status::OK;
  }
  const ChangeWatch::Pause pause(watch_, request_.group());
  GroupPreview preview(switchboard_, {request_.group(), request_.proxy()}, std::move(*candidate),
                       std::chrono::seconds(request_.duration().seconds()));
  if (!preview.Begin()) return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many operators follow something"};
  return Follow(preview);
}

grpc::Status PreviewCall::Follow(GroupPreview& preview) {
  const PreviewNews first = Told(preview.Take());
  if (!Write(first) || first.told() == 0) return grpc::Status::OK;
  while (WaitFor(kTellEvery)) {
    if (preview.IsOver() || preview.HasEnded()) {
      PreviewNews last = Told(preview.Take());
      last.set_over(preview.IsTimeOver());
      Write(last);
      break;
    }
    preview.TellLate();
    if (!Write(Told(preview.Take()))) break;
  }
  return grpc::Status::OK;
}

}  // namespace egret
