#include "source/server/fleet_preview.h"

#include <algorithm>
#include <utility>

#include "source/event/wait.h"
#include "source/xds/read_resource.h"
#include "source/xds/rejection.h"
#include "source/xds/told_change.h"

namespace egret {
namespace {

using control::v1::ChangedDecision;
using control::v1::PreviewStatus;
using control::v1::Report;

constexpr uint64_t kLookEveryMs = 1000;
constexpr int kMostErrors = 20;  // that are told

// By the rules of what is pushed: it names no file and no environment of this host.
Result<config::v1::Resources, Previews::Errors> Read(const control::v1::Preview& order) {
  config::v1::Resources resources;
  Previews::Errors errors;
  for (const google::protobuf::Any& any : order.resources()) {
    const auto type = ParseTypeUrl(any.type_url());
    if (!type || (*type != ResourceType::kEgressPolicy && *type != ResourceType::kDomainSet)) {
      errors.push_back({.why = "holds what is no policy and no domain set"});
      continue;
    }
    const ReadResult read = ReadUnnamed(*type, any, {});
    errors.insert(errors.end(), read.errors.begin(), read.errors.end());
    if (!read.body) continue;
    if (*type == ResourceType::kEgressPolicy)
      *resources.add_policies() = static_cast<const config::v1::EgressPolicy&>(*read.body->message);
    else
      *resources.add_domain_sets() = static_cast<const config::v1::DomainSet&>(*read.body->message);
  }
  if (HasErrors(errors)) return errors;
  return resources;
}

// In milliseconds.
uint64_t TimeOf(const control::v1::Preview& order) {
  constexpr int64_t kMostSeconds = 24 * 3600;
  return static_cast<uint64_t>(std::clamp<int64_t>(order.duration().seconds(), 0, kMostSeconds)) * 1000;
}

Report ReportOf(const std::string& id, const Previews::News& news) {
  Report report;
  for (const auto& [change, count] : news.rows) {
    ChangedDecision& told = *report.add_changes();
    told = ToldOf(change, count);
    told.set_id(id);
  }
  PreviewStatus& status = *report.add_previews();
  status.set_id(id);
  status.set_decisions(news.decisions);
  status.set_skipped(news.skipped);
  status.set_overflow(news.overflow);
  return report;
}

}  // namespace

void FleetPreview::Obey(const control::v1::Preview& order) {
  const bool ends = TimeOf(order) == 0;
  if (ends && order.id() != id_) return;  // another has taken its place
  const bool replaced = !ends && !task_.empty();
  const std::string before = id_;
  Stop();
  if (replaced) TellRefused(before, {{.why = "another preview has taken its place"}});
  if (ends) return;
  if (previews_.running())
    return TellRefused(order.id(), {{.why = "a preview runs here that was begun by the proxy's admin",
                                     .remedy = "wait until it has ended"}});
  id_ = order.id();
  task_.Start(Run(order));
}

void FleetPreview::Stop() {
  task_.Clear();
  hold_.reset();
}

Task<void> FleetPreview::Run(control::v1::Preview order) {
  const uint64_t for_ms = TimeOf(order);
  std::string id = order.id();
  auto begun = co_await previews_.Begin([order = std::move(order)] { return Read(order); }, for_ms);
  if (!begun) {
    TellRefused(id, begun.error());
    co_return;
  }
  hold_ = std::move(*begun);
  co_await Follow(std::move(id), hold_->number());
}

// What has not left yet waits where it is counted.
Task<void> FleetPreview::Follow(std::string id, uint32_t number) {
  for (bool over = false; !over;) {
    co_await Sleep(std::clamp<uint64_t>(previews_.Left(number), 1, kLookEveryMs));
    over = previews_.Left(number) == 0;
    if (!over && !outbox_.HasRoom()) continue;
    Report report = ReportOf(id, co_await previews_.Take(number));
    report.mutable_previews(0)->set_ended(over);
    outbox_.Put(report);
  }
  hold_.reset();
}

void FleetPreview::TellRefused(const std::string& id, const Previews::Errors& errors) {
  Report report;
  PreviewStatus& status = *report.add_previews();
  status.set_id(id);
  status.set_ended(true);
  for (const ConfigError& error : errors)
    if (status.errors_size() < kMostErrors) *status.add_errors() = ToRejection("", "", "", error);
  outbox_.Put(report);
}

}  // namespace egret
