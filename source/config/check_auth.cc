#include "source/config/check_auth.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/ip.h"
#include "source/base/strings.h"
#include "source/config/address.h"
#include "source/config/keys_url.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::HttpFilter;
using config::v1::Listener;
using config::v1::WorkloadSet;
using filters::http::v1::ProxyAuth;
using filters::http::v1::RateLimit;
using filters::network::v1::TlsTerminator;

// Whoever else is on the way of what clients send in clear.
bool IsReachedByNetwork(const Listener& listener) {
  const auto place = ParseListenAddress(listener.address());
  return place && !place->unix() && !IsLoopback(place->endpoint.address);
}

class AuthChecker {
 public:
  std::vector<ConfigError> Take() { return std::move(errors_); }

  // Who asks has to be known when it is decided, and elsewhere proxy_auth knows more.
  void CheckSources(const Listener& listener, const std::string& path) {
    constexpr std::string_view kMethod = "use proxy_auth with the method source_address, in front of egress_policy";
    bool decided = false;
    for (int i = 0; i < listener.listener_filters_size(); ++i) {
      const auto& filter = listener.listener_filters(i);
      const std::string at = Below(Below(path, "listener_filters"), static_cast<size_t>(i));
      decided = decided || filter.has_egress_policy();
      if (!filter.has_source_identity()) continue;
      if (listener.transparent() == Listener::OFF)
        Add(at, "only clients of a transparent listener cannot be asked", std::string(kMethod));
      else if (decided)
        Add(at, "egress_policy before it has decided without knowing who asks", "put it before egress_policy");
    }
  }

  template <class Filters>
  void CheckChain(const Listener& listener, const Filters& filters, const std::string& path) {
    const TlsTerminator* tls = nullptr;
    for (int i = 0; i < filters.size(); ++i) {
      if (filters[i].has_source_identity())
        Add(Below(path, static_cast<size_t>(i)), "it is decided before a chain is chosen",
            "put it into listener_filters, before egress_policy");
      if (filters[i].has_tls_terminator()) tls = &filters[i].tls_terminator();
      if (!filters[i].has_http_connection()) continue;
      CheckHttp(listener, tls, filters[i].http_connection().filters(),
                Below(Below(path, static_cast<size_t>(i)), "http_connection.filters"));
    }
  }

  // Nobody could say whose an address is that two have.
  void CheckWorkloads(const WorkloadSet& set, const std::string& path) {
    std::map<IpAddress, std::string> owners;
    for (int i = 0; i < set.workloads_size(); ++i) {
      const WorkloadSet::Workload& workload = set.workloads(i);
      const std::string at = Below(Below(path, "workloads"), static_cast<size_t>(i));
      if (!workload.service_account().empty() && workload.namespace_().empty())
        Add(Below(at, "service_account"), "a service account is one of a namespace", "give its namespace");
      for (int j = 0; j < workload.addresses_size(); ++j) {
        const auto address = IpAddress::Parse(workload.addresses(j));
        const std::string here = Below(Below(at, "addresses"), static_cast<size_t>(j));
        if (!address) continue;
        const auto [owner, is_new] = owners.emplace(*address, here);
        if (!is_new) Add(here, Cat("it is there before, at ", owner->second), "keep one of them");
      }
    }
  }

 private:
  using HttpFilters = google::protobuf::RepeatedPtrField<HttpFilter>;
  using Severity = ConfigError::Severity;

  void Add(const std::string& path, std::string why, std::string remedy, Severity severity = Severity::kError) {
    errors_.push_back({.field = path, .why = std::move(why), .remedy = std::move(remedy), .severity = severity});
  }

  static bool AsksForCertificates(const TlsTerminator* tls) {
    return tls != nullptr && tls->client_certificates().mode() != TlsTerminator::ClientCertificates::NONE;
  }

  static bool KnowsSources(const Listener& listener) {
    const auto& filters = listener.listener_filters();
    return std::any_of(filters.begin(), filters.end(), [](const auto& one) { return one.has_source_identity(); });
  }

  void CheckHttp(const Listener& listener, const TlsTerminator* tls, const HttpFilters& filters,
                 const std::string& path) {
    bool known = AsksForCertificates(tls) || listener.has_internal() || KnowsSources(listener);
    bool asked = false, decided = false;
    for (int i = 0; i < filters.size(); ++i) {
      const HttpFilter& filter = filters[i];
      const std::string at = Below(path, static_cast<size_t>(i));
      decided = decided || filter.has_egress_policy();
      if (filter.has_rate_limit() && filter.rate_limit().per() == RateLimit::IDENTITY && !known)
        Add(Below(at, "rate_limit.per"), "nothing before it finds out who asks", "put proxy_auth before it");
      if (!filter.has_proxy_auth()) continue;
      const std::string here = Below(at, "proxy_auth");
      if (asked) Add(here, "another one before it has found out who asks", "keep one, with all methods");
      if (decided)
        Add(here, "egress_policy before it has decided without knowing who asks", "put it before egress_policy");
      CheckPlace(listener, here);
      CheckMethods(listener, tls, filter.proxy_auth(), here);
      known = asked = true;
    }
  }

  void CheckPlace(const Listener& listener, const std::string& path) {
    if (listener.has_internal())
      Add(path, "what is inside a tunnel has the identity of its CONNECT",
          "put it into the listener that has the address");
    if (listener.transparent() != Listener::OFF)
      Add(path, "clients that are redirected here do not know of a proxy that could ask them",
          "put source_identity into listener_filters, before egress_policy");
  }

  void CheckMethods(const Listener& listener, const TlsTerminator* tls, const ProxyAuth& filter,
                    const std::string& path) {
    const auto printable = [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; };
    if (!std::all_of(filter.realm().begin(), filter.realm().end(), printable))
      Add(Below(path, "realm"), "not printable ASCII without quotes and backslashes", "write for example \"egress\"");
    for (int i = 0; i < filter.methods_size(); ++i) {
      const ProxyAuth::Method& method = filter.methods(i);
      const std::string at = Below(Below(path, "methods"), static_cast<size_t>(i));
      if (method.has_client_certificate() && !AsksForCertificates(tls))
        Add(Below(at, "client_certificate"), "nobody is asked for a certificate here",
            "put a tls_terminator with client_certificates first in this chain");
      if (method.has_jwt()) CheckKeys(method.jwt(), Below(at, "jwt"));
      const std::string_view credential = method.has_basic() ? "passwords" : method.has_jwt() ? "tokens" : "";
      if (!credential.empty() && tls == nullptr && IsReachedByNetwork(listener))
        Add(Below(at, method.has_basic() ? "basic" : "jwt"),
            Cat(credential, " come in clear, and whoever is on the way can read them"),
            "put a tls_terminator first in this chain; clients then write https:// before the proxy's address",
            Severity::kWarning);
    }
  }

  void CheckKeys(const ProxyAuth::Jwt& jwt, const std::string& path) {
    if (!jwt.has_jwks_url() && jwt.jwks().empty())
      Add(path, "no keys to check tokens by", "give jwks, the name of a secret, or jwks_url");
    if (!jwt.has_jwks_url()) return;
    if (!jwt.jwks().empty()) Add(Below(path, "jwks"), "the keys come from jwks_url", "keep one of them");
    const std::string& text = jwt.jwks_url().url();
    const Result<KeysUrl, Unfit> url = ParseKeysUrl(text);
    if (url.ok() || text.empty()) return;
    errors_.push_back({.field = Below(path, "jwks_url.url"),
                       .value = ShownValue(text),
                       .why = url.error().why,
                       .remedy = url.error().remedy});
  }

  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> CheckAuth(const Bootstrap& bootstrap) {
  AuthChecker checker;
  for (int i = 0; i < bootstrap.workload_sets_size(); ++i)
    checker.CheckWorkloads(bootstrap.workload_sets(i), Below("workload_sets", static_cast<size_t>(i)));
  for (int i = 0; i < bootstrap.listeners_size(); ++i) {
    const Listener& listener = bootstrap.listeners(i);
    const std::string path = Below("listeners", static_cast<size_t>(i));
    checker.CheckSources(listener, path);
    checker.CheckChain(listener, listener.filters(), Below(path, "filters"));
    for (int j = 0; j < listener.filter_chains_size(); ++j)
      checker.CheckChain(listener, listener.filter_chains(j).filters(),
                         Below(Below(Below(path, "filter_chains"), static_cast<size_t>(j)), "filters"));
  }
  return checker.Take();
}

}  // namespace egret
