#include "source/xds/node.h"

#include <algorithm>
#include <string>

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Xds;

// The first revision of the API: what a control plane may send without being refused for a field.
constexpr const char* kSchema = "egret.schema.1";

bool Asks(const Xds& xds, ResourceType type) {
  const auto& names = xds.resource_types();
  return std::find(names.begin(), names.end(), NameOf(type)) != names.end();
}

}  // namespace

DiscoveryNode NodeOf(const Bootstrap& bootstrap, std::string_view release) {
  DiscoveryNode node;
  node.set_id(bootstrap.node().id());
  node.set_cluster(bootstrap.node().cluster());
  if (bootstrap.node().has_metadata()) *node.mutable_metadata() = bootstrap.node().metadata();
  if (!bootstrap.node().zone().empty()) node.mutable_locality()->set_zone(bootstrap.node().zone());
  node.set_user_agent_name("egret");
  node.set_user_agent_version(std::string(release));
  node.add_client_features(kSchema);
  return node;
}

std::vector<WireType> WireTypesOf(const Bootstrap& bootstrap) {
  std::vector<WireType> types;
  if (!bootstrap.has_xds()) return types;
  const Xds& xds = bootstrap.xds();
  if (xds.carrier() == Xds::EXTENSION_CONFIG) {
    types.push_back(ExtensionConfigType());
    if (Asks(xds, ResourceType::kSecret)) types.push_back(NativeType(ResourceType::kSecret));
    return types;
  }
  for (const ResourceType type : kResourceTypes)
    if (xds.resource_types().empty() || Asks(xds, type)) types.push_back(NativeType(type));
  return types;
}

ReadRules ReadRulesOf(const Xds& xds) {
  return {.accept_unknown = xds.unknown_fields() == Xds::ACCEPT_OUTSIDE_POLICY,
          .file_roots = {xds.file_roots().begin(), xds.file_roots().end()}};
}

}  // namespace egret
