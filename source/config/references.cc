#include "source/config/references.h"

#include <unordered_map>

namespace egret {
namespace {

constexpr ResourceList kLists[] = {{"listeners", "listener"},     {"policies", "policy"},
                                   {"domain_sets", "domain set"}, {"upstreams", "upstream"},
                                   {"secrets", "secret"},         {"workload_sets", "workload set"}};

constexpr Reference kReferences[] = {
    {"egret.config.v1.Listener.chains_of", "listeners"},
    {"egret.config.v1.Listener.upstream", "upstreams"},
    {"egret.filters.http.v1.ConnectTunnel.listener", "listeners", "internal"},
    {"egret.filters.http.v1.ConnectTunnel.upstream", "upstreams"},
    {"egret.filters.http.v1.EgressPolicy.policies", "policies"},
    {"egret.filters.http.v1.EgressPolicy.policy", "policies"},
    {"egret.filters.network.v1.EgressPolicy.policies", "policies"},
    {"egret.filters.network.v1.EgressPolicy.policy", "policies"},
    {"egret.filters.http.v1.ForwardRouter.upstream", "upstreams"},
    {"egret.filters.network.v1.TcpRelay.upstream", "upstreams"},
    {"egret.config.v1.Upstream.HttpProxy.credential", "secrets", "credential"},
    {"egret.filters.http.v1.CredentialBroker.Binding.secret", "secrets", "credential"},
    {"egret.config.v1.ClientTls.trust", "secrets", "trust"},
    {"egret.config.v1.ClientTls.certificate", "secrets", "certificate"},
    {"egret.filters.network.v1.MitmTerminator.authority", "secrets", "certificate_authority"},
    {"egret.filters.network.v1.TlsTerminator.certificates", "secrets", "certificate"},
    {"egret.filters.network.v1.TlsTerminator.ClientCertificates.trust", "secrets", "trust"},
    {"egret.filters.http.v1.ProxyAuth.Basic.users", "secrets", "htpasswd"},
    {"egret.filters.http.v1.ProxyAuth.Jwt.jwks", "secrets", "jwks"},
    {"egret.filters.http.v1.ProxyAuth.SourceAddress.workloads", "workload_sets"},
    {"egret.filters.network.v1.SourceIdentity.workloads", "workload_sets"},
    {"egret.config.v1.To.domain_sets", "domain_sets", {}, true},
    {"egret.config.v1.DomainSet.includes", "domain_sets", {}, true},
};

}  // namespace

std::span<const ResourceList> ResourceLists() { return kLists; }

const Reference* ReferenceOf(const google::protobuf::FieldDescriptor& field) {
  static const auto* const by_field = [] {
    auto* table = new std::unordered_map<std::string_view, const Reference*>;
    for (const Reference& reference : kReferences) table->emplace(reference.field, &reference);
    return table;
  }();
  const auto found = by_field->find(field.full_name());
  return found == by_field->end() ? nullptr : found->second;
}

}  // namespace egret
