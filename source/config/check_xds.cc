#include "source/config/check_xds.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "source/base/strings.h"
#include "source/config/address.h"
#include "source/config/nearest.h"

namespace egret {
namespace {

using config::v1::Xds;

const std::vector<std::string>& TypeNames() {
  static const auto* const names =
      new std::vector<std::string>{"Listener", "EgressPolicy", "DomainSet", "Upstream", "Secret", "WorkloadSet"};
  return *names;
}

void CheckTypes(const Xds& xds, std::vector<ConfigError>& errors) {
  for (int i = 0; i < xds.resource_types_size(); ++i) {
    const std::string& name = xds.resource_types(i);
    if (std::find(TypeNames().begin(), TypeNames().end(), name) != TypeNames().end()) continue;
    errors.push_back({.field = Below("xds.resource_types", static_cast<size_t>(i)),
                      .value = ShownValue(name),
                      .why = "not a type of resources",
                      .remedy = Suggest(name, TypeNames())});
  }
}

void CheckClear(const Xds& xds, int server, std::vector<ConfigError>& errors) {
  if (xds.servers(server).has_tls() || IsThisHost(xds.servers(server).address())) return;
  errors.push_back({.field = Cat("xds.servers[", server, "]"),
                    .why = "resources come in clear: whoever is on the way decides what is allowed",
                    .remedy = "give tls, with `certificate` so that the server knows the proxy, too",
                    .severity = ConfigError::Severity::kWarning});
}

// A list that is given and not looked at would be worse than none.
void CheckTrust(const config::v1::Bootstrap& bootstrap, int server, std::vector<ConfigError>& errors) {
  const std::string& trust = bootstrap.xds().servers(server).tls().trust();
  for (const auto& secret : bootstrap.secrets()) {
    if (trust.empty() || secret.name() != trust || !secret.trust().has_crl()) continue;
    errors.push_back({.field = Cat("xds.servers[", server, "].tls.trust"),
                      .value = ShownValue(trust),
                      .why = "has a crl, and revocation of a control plane's certificate is not looked at",
                      .remedy = "name a secret without crl"});
  }
}

// The same goes for staples.
void CheckStaple(const config::v1::Bootstrap& bootstrap, int server, std::vector<ConfigError>& errors) {
  if (bootstrap.xds().servers(server).tls().ocsp() == config::v1::ClientTls::STAPLE_IF_GIVEN) return;
  errors.push_back({.field = Cat("xds.servers[", server, "].tls.ocsp"),
                    .value = "REQUIRE_STAPLE",
                    .why = "what a control plane staples is not looked at",
                    .remedy = "leave it out"});
}

}  // namespace

std::vector<ConfigError> CheckXds(const config::v1::Bootstrap& bootstrap) {
  std::vector<ConfigError> errors;
  CheckTypes(bootstrap.xds(), errors);
  for (int i = 0; i < bootstrap.xds().servers_size(); ++i) {
    CheckTrust(bootstrap, i, errors);
    CheckStaple(bootstrap, i, errors);
    CheckClear(bootstrap.xds(), i, errors);
  }
  return errors;
}

}  // namespace egret
