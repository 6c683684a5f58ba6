#include "source/config/build_listener.h"

#include <optional>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/config/build_body_rewrite.h"
#include "source/config/build_credential_broker.h"
#include "source/config/build_proxy_auth.h"
#include "source/config/built_in_tunnel.h"
#include "source/config/duration.h"
#include "source/config/filter_options.h"
#include "source/config/mitm_parts.h"
#include "source/config/tap_options.h"
#include "source/config/tls_secrets.h"
#include "source/filters/egress_policy.h"
#include "source/filters/source_identity.h"
#include "source/filters/tap.h"
#include "source/filters/tcp_relay.h"
#include "source/filters/tls_terminator.h"

namespace egret {
namespace {

using config::v1::Listener;
using NetworkMessages = google::protobuf::RepeatedPtrField<config::v1::NetworkFilter>;

template <class Message>
std::optional<PolicyStack> StackOf(const Message& message) {
  std::vector<std::string> names(message.policies().begin(), message.policies().end());
  if (!message.policy().empty()) names.push_back(message.policy());
  if (names.empty()) return std::nullopt;
  return PolicyStack(std::move(names));
}

// What is spoken inside a chain's TLS, in order of preference.
std::vector<std::string> SpokenBy(const NetworkMessages& filters) {
  for (const config::v1::NetworkFilter& filter : filters)
    if (filter.has_http_connection() && !filter.http_connection().http2().disabled()) return {"h2", "http/1.1"};
  return {"http/1.1"};
}

// The first problem counts; what is built after it is thrown away.
class ListenerBuilder {
 public:
  ListenerBuilder(const Listener& listener, SharedParts& shared) : listener_(listener), shared_(shared) {}

  Result<BuiltListener, Problem> Build(const Listener* chains_of) {
    auto chains = std::make_shared<ListenerChains>();
    chains->name = listener_.name();
    chains->transparent = TransparentOf(listener_);
    chains->stand_ins = shared_.defaults.stand_ins;
    chains->dial_original = listener_.destination() == Listener::ORIGINAL_IF_RESOLVED;
    chains->next_hop = Hop(listener_.upstream());
    AddChains(listener_, *chains);
    if (chains_of != nullptr) AddChains(*chains_of, *chains);
    if (problem_) return std::move(*problem_);
    for (Renewable& part : renewables_) built_.renewables.push_back(std::make_shared<const Renewable>(std::move(part)));
    built_.chains = std::move(chains);
    return std::move(built_);
  }

 private:
  void AddChains(const Listener& from, ListenerChains& to) {
    for (const auto& filter : from.listener_filters()) {
      to.listener_filters.push_back(BuildNetwork(filter, from.listener_filters()));
      if (filter.has_proxy_protocol()) to.balancers = Ranges(filter.proxy_protocol().trusted_cidrs());
    }
    for (const auto& chain : from.filter_chains()) {
      FilterChain& added = to.chains.emplace_back();
      added.name = chain.name();
      added.match = OptionsOf(chain.match());
      AddFilters(chain.filters(), added);
    }
    if (from.filters_size() > 0) AddFilters(from.filters(), to.chains.emplace_back());
  }

  void AddFilters(const NetworkMessages& filters, FilterChain& to) {
    for (const auto& filter : filters) {
      if (filter.has_mitm_terminator()) to.decrypts = to.filters.size();
      to.filters.push_back(BuildNetwork(filter, filters));
    }
  }

  // Every network filter. `chain`: in which it stands.
  std::unique_ptr<const NetworkFilter> BuildNetwork(const config::v1::NetworkFilter& filter,
                                                    const NetworkMessages& chain) {
    switch (filter.filter_case()) {
      case config::v1::NetworkFilter::kTlsTerminator:
        return BuildTlsTerminator(filter.tls_terminator(), chain);
      case config::v1::NetworkFilter::kProxyProtocol:
        return std::make_unique<ProxyProtocolFilter>(OptionsOf(filter.proxy_protocol()));
      case config::v1::NetworkFilter::kTlsInspector:
        return std::make_unique<TlsInspectorFilter>(OptionsOf(filter.tls_inspector()));
      case config::v1::NetworkFilter::kSourceIdentity:
        return BuildSourceIdentity(filter.source_identity());
      case config::v1::NetworkFilter::kEgressPolicy:
        return std::make_unique<EgressPolicyNetworkFilter>(StackOf(filter.egress_policy()));
      case config::v1::NetworkFilter::kHttpConnection:
        return BuildHttpConnection(filter.http_connection());
      case config::v1::NetworkFilter::kMitmTerminator:
        return BuildMitmTerminator(filter.mitm_terminator(), chain);
      case config::v1::NetworkFilter::kTcpRelay:
        return std::make_unique<TcpRelayFilter>();
      default:
        CHECK(false && "validated");
    }
  }

  // Every HTTP filter.
  std::unique_ptr<const HttpFilter> BuildHttp(const config::v1::HttpFilter& filter, const HttpConnectionOptions& http) {
    switch (filter.filter_case()) {
      case config::v1::HttpFilter::kEgressPolicy:
        return std::make_unique<EgressPolicyHttpFilter>(StackOf(filter.egress_policy()));
      case config::v1::HttpFilter::kProxyAuth:
        return BuildProxyAuth(filter.proxy_auth());
      case config::v1::HttpFilter::kRateLimit:
        return std::make_unique<RateLimitFilter>(OptionsOf(filter.rate_limit()));
      case config::v1::HttpFilter::kConnectTunnel:
        return BuildConnectTunnel(filter.connect_tunnel(), http);
      case config::v1::HttpFilter::kHeaderRewrite:
        return std::make_unique<HeaderRewriteFilter>(OptionsOf(filter.header_rewrite().request()),
                                                     OptionsOf(filter.header_rewrite().response()));
      case config::v1::HttpFilter::kCredentialBroker:
        return BuildBroker(filter.credential_broker());
      case config::v1::HttpFilter::kBodyRewrite:
        return BuildBodyRewrite(filter.body_rewrite());
      case config::v1::HttpFilter::kTap:
        return std::make_unique<TapFilter>(TapOf(filter.tap()));
      case config::v1::HttpFilter::kExtAuthz:
        return BuildExtAuthz(filter.ext_authz());
      case config::v1::HttpFilter::kForwardRouter:
        return std::make_unique<ForwardRouterFilter>(RouterOptions(filter.forward_router()));
      default:
        CHECK(false && "validated");
    }
  }

  std::unique_ptr<const NetworkFilter> BuildSourceIdentity(const filters::network::v1::SourceIdentity& message) {
    const auto table = shared_.workloads.find(message.workloads());
    CHECK(table != shared_.workloads.end());  // validated
    return std::make_unique<SourceIdentityFilter>(table->second.current);
  }

  std::unique_ptr<const NetworkFilter> BuildTlsTerminator(const filters::network::v1::TlsTerminator& message,
                                                          const NetworkMessages& chain) {
    TlsTerminatorOptions options;
    Result<ServerTls, Problem> tls =
        MakeServerTls(shared_.secrets, message, SpokenBy(chain), Cat("listener ", listener_.name()));
    if (tls) {
      options.context = std::move(tls->context);
      renewables_.push_back(std::move(tls->part));
    } else {
      Fail(Cat("listener ", listener_.name(), ": ", tls.error().text));
    }
    options.plaintext_too = message.plaintext_too();
    if (message.has_handshake_timeout()) options.handshake_ms = Milliseconds(message.handshake_timeout());
    return std::make_unique<TlsTerminatorFilter>(std::move(options));
  }

  std::unique_ptr<const NetworkFilter> BuildMitmTerminator(const filters::network::v1::MitmTerminator& message,
                                                           const NetworkMessages& chain) {
    MitmTerminatorOptions options = OptionsOf(message);
    const std::string where = Cat("listener ", listener_.name(), ", mitm_terminator");
    Result<MitmPart, Problem> part = MakeMitmPart(message, where, shared_.secrets, shared_.authorities, renewables_);
    if (!part) {
      Fail(part.error().text);
    } else {
      options.authority = part->authority;
      options.untrusted = part->untrusted;
      options.server = part->server;
      options.origins = part->origins;
      built_.authorities[message.authority()] = part->authority.get();
    }
    options.spoken = SpokenBy(chain);
    for (const auto& filter : chain)
      for (const auto& inner : filter.http_connection().filters())
        if (inner.has_forward_router()) {
          options.router = OptionsOf(inner.forward_router());
          options.router.next_hop = Hop(inner.forward_router().upstream());
        }
    return std::make_unique<MitmTerminatorFilter>(std::move(options));
  }

  std::unique_ptr<const NetworkFilter> BuildHttpConnection(const filters::network::v1::HttpConnection& message) {
    HttpConnectionOptions options = OptionsOf(message);
    if (options.via.empty()) options.via = shared_.defaults.via;
    options.authority_pages = shared_.authority_pages;
    HttpFilters filters;
    for (const auto& filter : message.filters()) filters.push_back(BuildHttp(filter, options));
    return std::make_unique<HttpConnectionFilter>(std::move(options), std::move(filters));
  }

  std::unique_ptr<const HttpFilter> BuildProxyAuth(const filters::http::v1::ProxyAuth& message) {
    const std::string where = Cat("listener ", listener_.name(), ", proxy_auth");
    Result<ProxyAuthOptions, Problem> options = MakeProxyAuth(
        message, where, shared_.secrets,
        {shared_.workloads, shared_.passwords, shared_.defaults.open_keys, shared_.feeds, built_.feeds}, renewables_);
    if (!options) Fail(options.error().text);
    return std::make_unique<ProxyAuthFilter>(options ? std::move(*options) : ProxyAuthOptions());
  }

  std::unique_ptr<const HttpFilter> BuildExtAuthz(const filters::http::v1::ExtAuthz& message) {
    const std::string where = Cat("listener ", listener_.name(), ", ext_authz");
    Result<ExtAuthzOptions, Problem> options =
        MakeExtAuthz(message, where, shared_.secrets, shared_.defaults.open_authorizer, renewables_);
    if (!options) Fail(options.error().text);
    return std::make_unique<ExtAuthzFilter>(options ? std::move(*options) : ExtAuthzOptions());
  }

  std::unique_ptr<const HttpFilter> BuildBroker(const filters::http::v1::CredentialBroker& message) {
    const std::string where = Cat("listener ", listener_.name(), ", credential_broker");
    Result<CredentialBrokerOptions, Problem> options =
        MakeCredentialBroker(message, where, shared_.secrets, renewables_);
    if (!options) Fail(options.error().text);
    return std::make_unique<CredentialBrokerFilter>(options ? std::move(*options) : CredentialBrokerOptions());
  }

  std::unique_ptr<const HttpFilter> BuildConnectTunnel(const filters::http::v1::ConnectTunnel& message,
                                                       const HttpConnectionOptions& http) {
    ConnectTunnelOptions options = OptionsOf(message);
    options.next_hop = Hop(message.upstream());
    if (options.listener.empty()) options.built_in = BuiltInTunnel(http, options);
    return std::make_unique<ConnectTunnelFilter>(std::move(options));
  }

  ForwardRouterOptions RouterOptions(const filters::http::v1::ForwardRouter& message) {
    ForwardRouterOptions options = OptionsOf(message);
    options.next_hop = Hop(message.upstream());
    options.tls = shared_.origins;
    if (!message.has_tls()) return options;
    const std::string what = Cat("listener ", listener_.name(), ", forward_router");
    Result<ClientTls, Problem> own = MakeClientTls(shared_.secrets, message.tls(), "", what);
    if (!own) {
      Fail(Cat(what, ": ", own.error().text));
      return options;
    }
    options.tls = std::move(own->context);
    renewables_.push_back(std::move(own->part));
    return options;
  }

  std::shared_ptr<const NextHop> Hop(const std::string& name) {
    const auto at = shared_.hops.find(name);
    if (at == shared_.hops.end()) return nullptr;
    built_.hops[name] = at->second.get();
    return at->second->hop;
  }

  std::shared_ptr<TapFile> TapOf(const filters::http::v1::Tap& message) {
    const std::string key = message.SerializeAsString();
    std::shared_ptr<TapFile>& tap = shared_.taps[key];
    if (tap == nullptr) tap = std::make_shared<TapFile>(TapOptionsOf(message, shared_.defaults.version));
    built_.taps[key] = tap;
    return tap;
  }

  void Fail(std::string why) {
    if (!problem_) problem_ = Problem{std::move(why)};
  }

  const Listener& listener_;
  SharedParts& shared_;
  std::vector<Renewable> renewables_;
  BuiltListener built_;
  std::optional<Problem> problem_;
};

}  // namespace

Transparent TransparentOf(const Listener& listener) {
  switch (listener.transparent()) {
    case Listener::REDIRECT:
      return Transparent::kRedirect;
    case Listener::TPROXY:
      return Transparent::kTproxy;
    default:
      return Transparent::kOff;
  }
}

Result<BuiltListener, Problem> BuildListener(const Listener& listener, const Listener* chains_of, SharedParts& shared) {
  return ListenerBuilder(listener, shared).Build(chains_of);
}

}  // namespace egret
