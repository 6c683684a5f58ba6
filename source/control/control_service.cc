#include "source/control/control_service.h"

#include <algorithm>

#include "source/control/peer.h"
#include "source/server/version.h"

namespace egret {
namespace {

using control::v1::GroupStatus;
using control::v1::ProxyStatus;
using control::v1::StatusRequest;
using control::v1::StatusResponse;

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
  if (!proxy.version.empty()) Set(*status.mutable_version_since(), proxy.version_since);
  for (const control::v1::Rejection& rejection : proxy.Rejections()) *status.add_rejections() = rejection;
  status.set_reporting(proxy.fleet_streams > 0);
  for (const auto& [name, trouble] : proxy.troubles)
    if (trouble.state() == control::v1::ResourceStatus::MISSING ||
        trouble.state() == control::v1::ResourceStatus::WARMING)
      *status.add_waiting() = trouble;
  if (proxy.config) *status.mutable_config() = *proxy.config;
}

}  // namespace

grpc::Status ControlService::Admit(const grpc::ServerContextBase& context) const {
  const Peer peer = PeerOf(context);
  const bool known = std::any_of(peer.names.begin(), peer.names.end(), [&](const std::string& name) {
    return std::find(viewers_.begin(), viewers_.end(), name) != viewers_.end();
  });
  if (known || !peer.certified) return grpc::Status::OK;
  return {grpc::StatusCode::PERMISSION_DENIED, "no name in the certificate is one of --viewers"};
}

grpc::ServerUnaryReactor* ControlService::Status(grpc::CallbackServerContext* context, const StatusRequest* request,
                                                 StatusResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (const grpc::Status admitted = Admit(*context); !admitted.ok()) {
    reactor->Finish(admitted);
    return reactor;
  }
  const auto asked = [&](const std::string& group) { return request->group().empty() || request->group() == group; };
  response->set_identifier(identifier_);
  response->set_release(kVersion);
  const auto decisions = roster_.Decisions();
  for (const auto& [name, group] : hub_.Look()) {
    if (!asked(name)) continue;
    Tell(name, group, *response->add_groups());
    if (const auto of = decisions.find(name); of != decisions.end())
      for (const auto& [rule, count] : of->second) *response->mutable_groups()->rbegin()->add_counts() = count;
  }
  for (const Proxy& proxy : roster_.Look())
    if (asked(proxy.group)) Tell(proxy, *response->add_proxies());
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace egret
