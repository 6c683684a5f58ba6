#include "source/control/control_service.h"

#include <algorithm>

#include "source/base/log.h"
#include "source/base/strings.h"
#include "source/config/error.h"
#include "source/control/peer.h"
#include "source/control/preview_call.h"
#include "source/control/tail_call.h"
#include "source/server/version.h"

namespace egret {
namespace {

using control::v1::GroupStatus;
using control::v1::PreviewNews;
using control::v1::ProxyStatus;
using control::v1::StatusRequest;
using control::v1::StatusResponse;
using control::v1::TailNews;

constexpr int64_t kLongestPreview = 24 * 3600;  // seconds

void Set(google::protobuf::Timestamp& stamp, std::chrono::system_clock::time_point time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  stamp.set_seconds(seconds.count());
  stamp.set_nanos(static_cast<int32_t>(std::chrono::nanoseconds(since - seconds).count()));
}

void Tell(const std::string& name, const Hub::Group& group, GroupStatus& status) {
  status.set_name(name);
  if (group.publication) {
    status.set_version(group.publication->version);
    Set(*status.mutable_since(), group.since);
  }
  for (const ConfigError& error : group.errors)
    if (!error.warning()) status.add_problems(error.ToString());
}

void Tell(const Proxy& proxy, ProxyStatus& status) {
  status.set_id(proxy.id);
  status.set_group(proxy.group);
  status.set_release(proxy.release);
  status.set_peer(proxy.peer);
  status.set_certified(proxy.certified);
  status.set_connected(proxy.streams > 0);
  Set(*status.mutable_since(), proxy.since);
  status.set_version(proxy.version);
  status.set_offered(proxy.offered);
  if (!proxy.version.empty()) Set(*status.mutable_version_since(), proxy.version_since);
  for (const control::v1::Rejection& rejection : proxy.Rejections()) *status.add_rejections() = rejection;
  status.set_reporting(proxy.fleet_streams > 0);
  for (const auto& [name, trouble] : proxy.troubles)
    if (trouble.state() == control::v1::ResourceStatus::MISSING ||
        trouble.state() == control::v1::ResourceStatus::WARMING)
      *status.add_waiting() = trouble;
  if (proxy.config) *status.mutable_config() = *proxy.config;
}

grpc::Status Answer(const Result<control::v1::Rollout, Problem>& done, control::v1::Rollout& response) {
  if (!done) return {grpc::StatusCode::FAILED_PRECONDITION, done.error().text};
  response = *done;
  return grpc::Status::OK;
}

}  // namespace

Result<std::string, grpc::Status> ControlService::Admit(const grpc::ServerContextBase& context, May what) const {
  const Peer peer = PeerOf(context);
  if (!peer.certified) return std::string("the local operator");
  const auto is_one_of = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& name : peer.names)
    if (is_one_of(names_.operators, name) || (what == May::kLook && is_one_of(names_.viewers, name))) return name;
  return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, Cat("no name in the certificate is one of --operators",
                                                               what == May::kLook ? " or --viewers" : ""));
}

grpc::Status ControlService::Fill(const StatusRequest& request, StatusResponse& response) const {
  const auto asked = [&](const std::string& group) { return request.group().empty() || request.group() == group; };
  response.set_identifier(identifier_);
  response.set_release(kVersion);
  const auto decisions = parts_.roster.Decisions();
  const std::vector<Proxy> proxies = parts_.roster.Look();
  for (const auto& [name, group] : parts_.hub.Look()) {
    if (!asked(name)) continue;
    GroupStatus& status = *response.add_groups();
    Tell(name, group, status);
    if (const auto rollout = parts_.rollouts.Tell(name, group, proxies)) *status.mutable_rollout() = *rollout;
    if (const auto of = decisions.find(name); of != decisions.end())
      for (const auto& [rule, count] : of->second) *status.add_counts() = count;
  }
  for (const Proxy& proxy : proxies)
    if (asked(proxy.group)) Tell(proxy, *response.add_proxies());
  return grpc::Status::OK;
}

ControlService::Reactor* ControlService::Status(grpc::CallbackServerContext* context, const StatusRequest* request,
                                                StatusResponse* response) {
  Reactor* const reactor = context->DefaultReactor();
  const auto by = Admit(*context, May::kLook);
  reactor->Finish(by ? Fill(*request, *response) : by.error());
  return reactor;
}

ControlService::Reactor* ControlService::Advance(grpc::CallbackServerContext* context,
                                                 const control::v1::AdvanceRequest* request,
                                                 control::v1::Rollout* response) {
  Reactor* const reactor = context->DefaultReactor();
  const auto by = Admit(*context, May::kCommand);
  reactor->Finish(by ? Answer(parts_.rollouts.Advance(*request, *by), *response) : by.error());
  return reactor;
}

ControlService::Reactor* ControlService::Halt(grpc::CallbackServerContext* context,
                                              const control::v1::HaltRequest* request, control::v1::Rollout* response) {
  Reactor* const reactor = context->DefaultReactor();
  const auto by = Admit(*context, May::kCommand);
  reactor->Finish(by ? Answer(parts_.rollouts.Halt(*request, *by), *response) : by.error());
  return reactor;
}

ControlService::Reactor* ControlService::Drain(grpc::CallbackServerContext* context,
                                               const control::v1::DrainRequest* request,
                                               control::v1::DrainResponse* response) {
  Reactor* const reactor = context->DefaultReactor();
  const auto by = Admit(*context, May::kCommand);
  if (!by) {
    reactor->Finish(by.error());
  } else if (request->group().empty()) {
    reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, "a group is needed"});
  } else {
    control::v1::Command command;
    Set(*command.mutable_drain()->mutable_at(), std::chrono::system_clock::now());
    response->set_told(static_cast<uint32_t>(parts_.switchboard.Tell({request->group(), request->proxy()}, command)));
    Log(LogComponent::kServer, LogLevel::kWarning, *by, " drains ", response->told(), " proxies of group ",
        ShownValue(request->group()));
    reactor->Finish(grpc::Status::OK);
  }
  return reactor;
}

Result<std::string, grpc::Status> ControlService::AdmitTo(const std::string& group,
                                                          const grpc::ServerContextBase& context) const {
  auto by = Admit(context, May::kCommand);
  if (!by) return by;
  if (!parts_.hub.Look().contains(group))
    return grpc::Status(grpc::StatusCode::NOT_FOUND, Cat("no group ", ShownValue(group)));
  return by;
}

grpc::ServerWriteReactor<PreviewNews>* ControlService::Preview(grpc::CallbackServerContext* context,
                                                               const control::v1::PreviewRequest* request) {
  const auto by = AdmitTo(request->group(), *context);
  if (!by) return new RefusedCall<PreviewNews>(by.error());
  const int64_t seconds = request->duration().seconds();
  if (seconds < 1 || seconds > kLongestPreview)
    return new RefusedCall<PreviewNews>({grpc::StatusCode::INVALID_ARGUMENT, "a preview takes from 1 s to 24 h"});
  Log(LogComponent::kServer, LogLevel::kInfo, *by, " previews a candidate in group ", ShownValue(request->group()),
      " for ", seconds, " s");
  auto* const call =
      new PreviewCall(*request, parts_.library.FilesOf(request->group()), parts_.switchboard, parts_.watch);
  call->Begin();
  return call;
}

grpc::ServerWriteReactor<TailNews>* ControlService::Tail(grpc::CallbackServerContext* context,
                                                         const control::v1::TailRequest* request) {
  const auto by = AdmitTo(request->group(), *context);
  if (!by) return new RefusedCall<TailNews>(by.error());
  Log(LogComponent::kServer, LogLevel::kInfo, *by, " follows the access logs of group ", ShownValue(request->group()));
  auto* const call = new TailCall(*request, parts_.switchboard);
  call->Begin();
  return call;
}

}  // namespace egret
