#include "source/config/check_ext_authz.h"

#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/config/address.h"
#include "source/config/walk.h"
#include "source/http/credential_field.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::ClientTls;
using filters::http::v1::ExtAuthz;
using filters::network::v1::HttpConnection;

class ExtAuthzChecker final : public Visitor {
 public:
  explicit ExtAuthzChecker(const Bootstrap& bootstrap) : bootstrap_(bootstrap) {}
  std::vector<ConfigError> Take() { return std::move(errors_); }

  bool Seeks(const google::protobuf::Descriptor& type) override { return within_(type); }
  void Enter(const google::protobuf::Message& message, const std::string& path) override {
    if (const auto* connection = dynamic_cast<const HttpConnection*>(&message))
      CheckChain(*connection, Below(path, "filters"));
  }
  bool Visit(const google::protobuf::Message& /*holder*/, const google::protobuf::FieldDescriptor& /*field*/,
             const std::string& /*path*/) override {
    return true;
  }

 private:
  using Severity = ConfigError::Severity;

  void Add(std::string path, std::string value, std::string why, std::string remedy,
           Severity severity = Severity::kError) {
    errors_.push_back({.field = std::move(path),
                       .value = std::move(value),
                       .why = std::move(why),
                       .remedy = std::move(remedy),
                       .severity = severity});
  }

  void CheckChain(const HttpConnection& connection, const std::string& path) {
    bool decided = false, tunnelled = false;
    for (int i = 0; i < connection.filters_size(); ++i) {
      const auto& filter = connection.filters(i);
      decided = decided || filter.has_egress_policy();
      tunnelled = tunnelled || filter.has_connect_tunnel();
      if (!filter.has_ext_authz()) continue;
      const std::string at = Below(Below(path, static_cast<size_t>(i)), "ext_authz");
      if (!decided)
        Add(at, "", "it only narrows what egress_policy, before it, has let through", "put egress_policy before it");
      if (tunnelled)
        Add(at, "", "it is not asked about CONNECT, which connect_tunnel before it has answered",
            "put it before connect_tunnel", Severity::kWarning);
      CheckService(filter.ext_authz(), at);
    }
  }

  void CheckService(const ExtAuthz& filter, const std::string& path) {
    if (filter.failure_mode_allow())
      Add(Below(path, "failure_mode_allow"), "true",
          "whoever keeps the service from answering is let through by policy alone",
          "leave it out, and watch egret_ext_authz_total{result=\"error\"}", Severity::kWarning);
    if (!filter.has_tls() && !IsThisHost(filter.address()))
      Add(path, "", "the service is asked in clear: whoever is on the way decides what is allowed",
          "give tls, with `certificate` so that the service knows the proxy, too", Severity::kWarning);
    for (int i = 0; i < filter.credential_headers_size(); ++i) {
      const std::string& name = filter.credential_headers(i);
      if (EqualsIgnoreCase(name, "cookie") || IsCredentialField(name)) continue;
      Add(Below(Below(path, "credential_headers"), static_cast<size_t>(i)), ShownValue(name),
          "not a header that is kept back", "name e.g. authorization or cookie; others are told anyway");
    }
    CheckTls(filter.tls(), Below(path, "tls"));
  }

  // What is given and not looked at would be worse than nothing.
  void CheckTls(const ClientTls& tls, const std::string& path) {
    if (tls.ocsp() != ClientTls::STAPLE_IF_GIVEN)
      Add(Below(path, "ocsp"), "REQUIRE_STAPLE", "staples of the service are not looked at", "leave it out");
    for (const auto& secret : bootstrap_.secrets())
      if (!tls.trust().empty() && secret.name() == tls.trust() && secret.trust().has_crl())
        Add(Below(path, "trust"), ShownValue(tls.trust()),
            "has a crl, and revocation of the service's certificate is not looked at", "name a secret without crl");
  }

  Within within_{[](const auto& type) { return &type == HttpConnection::descriptor(); }};
  const Bootstrap& bootstrap_;
  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> CheckExtAuthz(const Bootstrap& bootstrap) {
  ExtAuthzChecker checker(bootstrap);
  Walk(bootstrap, "", checker);
  return checker.Take();
}

}  // namespace egret
