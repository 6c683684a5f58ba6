#include "source/server/config_pages.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "source/base/json.h"
#include "source/server/pushed_pages.h"
#include "source/server/version.h"

namespace egret {
namespace {

using Names = std::set<std::pair<std::string, std::string>>;

std::string_view ShortType(std::string_view url) { return url.substr(url.rfind('.') + 1); }

// What the file has, or the bootstrap beside what is pushed.
template <class List>
void WriteOwn(std::string_view type, const List& list, const Names& pushed, JsonWriter& out) {
  for (const auto& resource : list) {
    if (pushed.contains({std::string(type), resource.name()})) continue;
    out.BeginObject();
    out.Member("type", type);
    out.Member("name", resource.name());
    out.Member("state", NameOf(ResourceState::kInForce));
    out.EndObject();
  }
}

void WriteResources(const config::v1::Bootstrap& in_force, const PushStatus* pushed, JsonWriter& out) {
  Names names;
  out.Key("resources");
  out.BeginArray();
  if (pushed != nullptr) {
    for (const ResourceStatus& resource : pushed->resources) {
      names.emplace(ShortType(resource.type_url), resource.name);
      WriteResource(resource, ShortType(resource.type_url), out);
    }
  }
  WriteOwn("Listener", in_force.listeners(), names, out);
  WriteOwn("EgressPolicy", in_force.policies(), names, out);
  WriteOwn("DomainSet", in_force.domain_sets(), names, out);
  WriteOwn("Upstream", in_force.upstreams(), names, out);
  WriteOwn("Secret", in_force.secrets(), names, out);
  WriteOwn("WorkloadSet", in_force.workload_sets(), names, out);
  out.EndArray();
}

bool IsInForce(const ResourceStatus& resource) {
  return resource.state == ResourceState::kInForce || resource.state == ResourceState::kUnused;
}

bool AllInForce(const PushStatus& pushed) {
  const bool answers = pushed.connected || pushed.server.empty();
  return answers && pushed.settled && pushed.errors.empty() && pushed.directory_errors.empty() &&
         std::all_of(pushed.resources.begin(), pushed.resources.end(), IsInForce);
}

void WriteErrors(const std::vector<std::string>& errors, JsonWriter& out) {
  out.BeginArray();
  for (const std::string& error : errors) out.String(error);
  out.EndArray();
}

}  // namespace

Task<AdminReply> ConfigStatus(const ServerView& server, const AdminRequest& /*request*/) {
  const std::shared_ptr<const Configuration> now = server.now;
  const std::shared_ptr<const PushStatus> pushed = server.pushed();
  const std::vector<std::string> file_errors = server.file_errors();
  std::string json;
  JsonWriter out(json);
  out.BeginObject();
  out.Member("version", kVersion);
  out.Member("state", StateOf(server));
  out.MemberIf("node_id", now->bootstrap->node().id());
  out.MemberIf("node_cluster", now->bootstrap->node().cluster());
  out.Member("file", server.options.config.empty() ? "the embedded default" : server.options.config);
  out.Key("file_errors");
  WriteErrors(file_errors, out);
  out.Member("all_in_force", file_errors.empty() && (pushed == nullptr || AllInForce(*pushed)));
  if (pushed != nullptr) WritePushState(*pushed, out);
  WriteResources(*now->bootstrap, pushed.get(), out);
  out.EndObject();
  co_return AdminReply{200, "application/json", json + '\n'};
}

}  // namespace egret
