#include "source/control/tail_call.h"

#include <chrono>
#include <utility>

#include "source/control/order_id.h"

namespace egret {
namespace {

using control::v1::Command;
using control::v1::TailLine;

constexpr std::chrono::milliseconds kLookEvery{200};
constexpr std::chrono::hours kLongest{24};

Command OrderOf(const control::v1::TailRequest& request, const std::string& id) {
  Command command;
  control::v1::Tail& tail = *command.mutable_tail();
  tail.set_id(id);
  tail.set_contains(request.contains());
  tail.set_verdict(request.verdict());
  tail.set_identity(request.identity());
  tail.set_decisions(request.decisions());
  tail.set_policy(request.policy());
  tail.set_rule(request.rule());
  tail.set_host(request.host());
  tail.mutable_duration()->set_seconds(std::chrono::seconds(kLongest).count());
  return command;
}

}  // namespace

TailCall::TailCall(const control::v1::TailRequest& request, Switchboard& switchboard)
    : request_(request), switchboard_(switchboard), id_(NewOrderId("tail")) {}

grpc::Status TailCall::Run() {
  if (!switchboard_.Join(*this)) return {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many operators follow something"};
  Follow();
  switchboard_.Leave(*this);
  Command end;
  end.mutable_tail()->set_id(id_);
  switchboard_.Tell({request_.group(), request_.proxy()}, end);
  return grpc::Status::OK;
}

void TailCall::Follow() {
  const Command order = OrderOf(request_, id_);
  const auto end = std::chrono::steady_clock::now() + kLongest;
  News first;
  const size_t told = switchboard_.Tell({request_.group(), request_.proxy()}, order);
  first.set_told(static_cast<uint32_t>(told));
  if (!Write(first) || told == 0) return;
  while (WaitFor(kLookEvery) && std::chrono::steady_clock::now() < end) {
    late_.Tell(switchboard_, request_.group(), order);
    const News news = Next();
    if (!news.lines().empty() && !Write(news)) return;
  }
}

void TailCall::Hear(const Switchboard::Proxy& proxy, const control::v1::Report& report) {
  if (proxy.first != request_.group() || (!request_.proxy().empty() && proxy.second != request_.proxy())) return;
  if (report.has_node()) late_.Add(proxy.second);
  const std::lock_guard lock(mutex_);
  for (const TailLine& line : report.lines()) {
    if (line.id() != id_) continue;
    if (bytes_ >= kMostBytes) {
      dropped_ += line.dropped() > 0 ? line.dropped() : 1;
      continue;
    }
    bytes_ += line.ByteSizeLong() + proxy.second.size();
    control::v1::ProxyLine& told = *waiting_.add_lines();
    told.set_proxy(proxy.second);
    told.set_line(line.line());
    told.set_dropped(line.dropped());
    told.set_refused(line.refused());
  }
}

TailCall::News TailCall::Next() {
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  if (const uint64_t dropped = std::exchange(dropped_, 0); dropped > 0) waiting_.add_lines()->set_dropped(dropped);
  return std::exchange(waiting_, {});
}

}  // namespace egret
