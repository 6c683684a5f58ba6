#include "source/config/check_chains.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::FilterChain;
using config::v1::HttpFilter;
using config::v1::Listener;
using config::v1::NetworkFilter;

bool IsTerminal(const NetworkFilter& filter) { return filter.has_http_connection() || filter.has_tcp_relay(); }
bool IsTerminal(const HttpFilter& filter) { return filter.has_forward_router(); }

constexpr std::string_view kNetworkTerminals = "http_connection or tcp_relay";
constexpr std::string_view kHttpTerminals = "forward_router";

class ChainChecker {
 public:
  explicit ChainChecker(const Bootstrap& bootstrap) {
    for (const config::v1::Upstream& upstream : bootstrap.upstreams())
      if (upstream.resolve() == config::v1::Upstream::REMOTE) resolving_.insert(upstream.name());
  }

  std::vector<ConfigError> Take() { return std::move(errors_); }

  void Check(const Listener& listener, const std::string& path) {
    CheckForm(listener, path);
    CheckListenerFilters(listener, Below(path, "listener_filters"));
    CheckProxyProtocol(listener, path);
    CheckTransparent(listener, path);
    if (listener.filters_size() > 0) CheckNetwork(listener.filters(), Below(path, "filters"));
    std::set<std::string> names;
    for (int i = 0; i < listener.filter_chains_size(); ++i) {
      const FilterChain& chain = listener.filter_chains(i);
      const std::string at = Below(Below(path, "filter_chains"), static_cast<size_t>(i));
      CheckName(chain, listener.filter_chains_size() > 1, names, at);
      CheckMatch(chain, listener, at);
      CheckNetwork(chain.filters(), Below(at, "filters"));
    }
  }

 private:
  void Add(const std::string& path, std::string value, std::string why, std::string remedy) {
    errors_.push_back({.field = path, .value = std::move(value), .why = std::move(why), .remedy = std::move(remedy)});
  }

  void CheckForm(const Listener& listener, const std::string& path) {
    const int forms =
        (listener.filters_size() > 0) + (listener.filter_chains_size() > 0) + !listener.chains_of().empty();
    if (forms == 0) Add(path, "", "no chain", "give exactly one of filters, filter_chains, chains_of");
    if (forms > 1) Add(path, "", "chains are given twice", "keep one of filters, filter_chains, chains_of");
  }

  void CheckTransparent(const Listener& listener, const std::string& path) {
    if (listener.transparent() == Listener::OFF) {
      if (listener.destination() != Listener::RESOLVE)
        Add(Below(path, "destination"), Listener::Destination_Name(listener.destination()),
            "this listener is not transparent: a client of a proxy names its destination",
            "leave it out, or give transparent");
      if (!listener.upstream().empty())
        Add(Below(path, "upstream"), listener.upstream(),
            "this listener is not transparent: its filters know the way out",
            "write it into connect_tunnel and forward_router, or give transparent");
      return;
    }
    if (!listener.has_address() || listener.address().starts_with("unix:"))
      Add(Below(path, "transparent"), Listener::Transparent_Name(listener.transparent()),
          "only connections to an IP address are redirected", "give the listener an address and port");
    if (listener.destination() == Listener::ORIGINAL_IF_RESOLVED && resolving_.contains(listener.upstream()))
      Add(Below(path, "upstream"), listener.upstream(), "this parent resolves names, so nobody knows what it dials",
          "give it resolve: LOCAL, or leave destination out");
  }

  // Its header is the first thing on the wire, and only a socket has a wire.
  void CheckProxyProtocol(const Listener& listener, const std::string& path) {
    const std::string at = Below(path, "listener_filters");
    for (int i = 0; i < listener.listener_filters_size(); ++i) {
      if (!listener.listener_filters(i).has_proxy_protocol()) continue;
      const std::string here = Below(at, static_cast<size_t>(i));
      if (i > 0) Add(here, "", "the header comes before all else", "put proxy_protocol first");
      if (listener.has_internal())
        Add(here, "", "no load balancer stands before a tunnel", "put it into the listener that has the address");
    }
    const auto inside = [&](const auto& filters, const std::string& below) {
      for (int i = 0; i < filters.size(); ++i)
        if (filters[i].has_proxy_protocol())
          Add(Below(below, static_cast<size_t>(i)), "", "a chain is chosen by the address that it tells",
              "put it into listener_filters");
    };
    inside(listener.filters(), Below(path, "filters"));
    for (int i = 0; i < listener.filter_chains_size(); ++i)
      inside(listener.filter_chains(i).filters(),
             Below(Below(Below(path, "filter_chains"), static_cast<size_t>(i)), "filters"));
  }

  // They run before a chain is chosen, so they may only look.
  void CheckListenerFilters(const Listener& listener, const std::string& path) {
    for (int i = 0; i < listener.listener_filters_size(); ++i) {
      const NetworkFilter& filter = listener.listener_filters(i);
      if (filter.has_tls_inspector() || filter.has_proxy_protocol() || filter.has_source_identity() ||
          filter.has_egress_policy())
        continue;
      Add(Below(path, static_cast<size_t>(i)), "", "not a filter that only looks",
          "here belong tls_inspector, proxy_protocol, source_identity, egress_policy; move it into a chain");
    }
  }

  void CheckName(const FilterChain& chain, bool several, std::set<std::string>& names, const std::string& path) {
    if (chain.name().empty() && several) Add(Below(path, "name"), "", "no name", "name each of several chains");
    if (!chain.name().empty() && !names.insert(chain.name()).second)
      Add(Below(path, "name"), ShownValue(chain.name()), "another chain of this listener has this name",
          "rename one of them");
  }

  // What is matched has to be known before a chain is chosen.
  void CheckMatch(const FilterChain& chain, const Listener& listener, const std::string& path) {
    bool looked = false;
    bool judged = false;
    for (const NetworkFilter& filter : listener.listener_filters()) {
      looked = looked || filter.has_tls_inspector();
      judged = judged || filter.has_egress_policy();
    }
    const auto& match = chain.match();
    const std::string at = Below(path, "match");
    if (match.verdict() != config::v1::ChainMatch::ANY_VERDICT && !judged)
      Add(Below(at, "verdict"), "", "nothing has judged yet when a chain is chosen",
          "put egress_policy into listener_filters");
    if (looked) return;
    const auto unseen = [&](bool set, std::string_view field) {
      if (set)
        Add(Below(at, field), "", "nothing has looked yet when a chain is chosen",
            "put tls_inspector into listener_filters");
    };
    unseen(match.protocol() != config::v1::ChainMatch::ANY_PROTOCOL, "protocol");
    unseen(match.server_names_size() > 0, "server_names");
    unseen(match.alpn_size() > 0, "alpn");
  }

  template <class Filters>
  void CheckEnd(const Filters& filters, const std::string& path, std::string_view terminals) {
    for (int i = 0; i < filters.size(); ++i) {
      const bool last = i + 1 == filters.size();
      if (last && !IsTerminal(filters[i]))
        Add(Below(path, static_cast<size_t>(i)), "", "the last filter of a chain has to end it",
            Cat("add ", terminals, " after it"));
      if (!last && IsTerminal(filters[i]))
        Add(Below(path, static_cast<size_t>(i)), "", "it ends the chain, so what follows never runs",
            "move it to the end");
    }
  }

  template <class Filters>
  void CheckNetwork(const Filters& filters, const std::string& path) {
    CheckEnd(filters, path, kNetworkTerminals);
    for (int i = 0; i < filters.size(); ++i) {
      if (!filters[i].has_http_connection()) continue;
      const std::string at = Below(Below(path, static_cast<size_t>(i)), "http_connection.filters");
      CheckEnd(filters[i].http_connection().filters(), at, kHttpTerminals);
      CheckRateLimits(filters[i].http_connection(), at);
    }
  }

  void CheckRateLimits(const filters::network::v1::HttpConnection& connection, const std::string& path) {
    bool tunnelled = false;  // CONNECT comes no further
    for (int i = 0; i < connection.filters_size(); ++i) {
      const HttpFilter& filter = connection.filters(i);
      tunnelled = tunnelled || filter.has_connect_tunnel();
      if (!filter.has_rate_limit()) continue;
      const std::string at = Below(Below(path, static_cast<size_t>(i)), "rate_limit");
      if (!filter.rate_limit().has_requests() && !filter.rate_limit().has_tunnels())
        Add(at, "", "it limits nothing", "give requests, e.g. {rate: 100, burst: 200}, or tunnels");
      if (filter.rate_limit().has_tunnels() && tunnelled)
        Add(Below(at, "tunnels"), "", "connect_tunnel before it has opened the tunnel already",
            "put rate_limit before connect_tunnel");
    }
  }

  std::set<std::string> resolving_;  // upstreams
  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> CheckChains(const Bootstrap& bootstrap) {
  ChainChecker checker(bootstrap);
  for (int i = 0; i < bootstrap.listeners_size(); ++i)
    checker.Check(bootstrap.listeners(i), Below("listeners", static_cast<size_t>(i)));
  return checker.Take();
}

}  // namespace egret
