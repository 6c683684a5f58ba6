#include "source/config/check_secrets.h"

#include <string>
#include <utility>

#include "source/base/strings.h"
#include "source/config/walk.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Listener;
using filters::http::v1::ForwardRouter;
using filters::network::v1::TlsTerminator;

// A router's certificates have to be for its destinations.
class RouterChecker final : public Visitor {
 public:
  explicit RouterChecker(std::vector<ConfigError>& errors) : errors_(errors) {}

  bool Seeks(const google::protobuf::Descriptor& type) override { return within_(type); }
  void Enter(const google::protobuf::Message& message, const std::string& path) override {
    if (message.GetDescriptor() != ForwardRouter::descriptor()) return;
    const std::string& name = static_cast<const ForwardRouter&>(message).tls().server_name();
    if (name.empty()) return;
    errors_.push_back({.field = Below(path, "tls.server_name"),
                       .value = ShownValue(name),
                       .why = "each destination's certificate has to be for the destination's own name",
                       .remedy = "leave it out"});
  }
  bool Visit(const google::protobuf::Message&, const google::protobuf::FieldDescriptor&, const std::string&) override {
    return true;
  }

 private:
  Within within_{[](const auto& type) { return &type == ForwardRouter::descriptor(); }};
  std::vector<ConfigError>& errors_;
};

class SecretChecker {
 public:
  std::vector<ConfigError> Take() { return std::move(errors_); }

  void Check(const config::v1::Secret& secret, const std::string& path) {
    if (secret.has_trust() && !secret.trust().has_roots() && !secret.trust().system_roots())
      Add(Below(path, "trust"), "it believes nobody", "give roots, or system_roots: true");
  }

  template <class Filters>
  void CheckChain(const Listener& listener, const Filters& filters, const std::string& path) {
    for (int i = 0; i < filters.size(); ++i) {
      if (!filters[i].has_tls_terminator()) continue;
      const std::string at = Below(Below(path, static_cast<size_t>(i)), "tls_terminator");
      if (listener.has_internal())
        Add(at, "the TLS inside a tunnel is for the destination, not for the proxy",
            "put it into the listener that has the address");
      if (listener.transparent() != Listener::OFF)
        Add(at, "the TLS of a redirected connection is for its destination", "leave it out");
      if (i > 0) Add(at, "what stands before it would see TLS and not what is inside", "put it first");
      CheckClients(filters[i].tls_terminator().client_certificates(), Below(at, "client_certificates"));
    }
  }

 private:
  void Add(const std::string& path, std::string why, std::string remedy) {
    errors_.push_back({.field = path, .why = std::move(why), .remedy = std::move(remedy)});
  }

  void CheckClients(const TlsTerminator::ClientCertificates& clients, const std::string& path) {
    const bool asks = clients.mode() != TlsTerminator::ClientCertificates::NONE;
    if (asks && clients.trust().empty())
      Add(Below(path, "trust"), "nobody is believed", "name a secret with `trust`: that of the clients' CA");
    if (!asks && !clients.trust().empty())
      Add(Below(path, "mode"), "no certificate is asked for, though trust is given", "write mode: REQUEST or REQUIRE");
  }

  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> CheckSecrets(const Bootstrap& bootstrap) {
  SecretChecker checker;
  for (int i = 0; i < bootstrap.secrets_size(); ++i)
    checker.Check(bootstrap.secrets(i), Below("secrets", static_cast<size_t>(i)));
  for (int i = 0; i < bootstrap.listeners_size(); ++i) {
    const Listener& listener = bootstrap.listeners(i);
    const std::string path = Below("listeners", static_cast<size_t>(i));
    checker.CheckChain(listener, listener.filters(), Below(path, "filters"));
    for (int j = 0; j < listener.filter_chains_size(); ++j)
      checker.CheckChain(listener, listener.filter_chains(j).filters(),
                         Below(Below(Below(path, "filter_chains"), static_cast<size_t>(j)), "filters"));
  }
  std::vector<ConfigError> errors = checker.Take();
  RouterChecker routers(errors);
  Walk(bootstrap, "", routers);
  return errors;
}

}  // namespace egret
