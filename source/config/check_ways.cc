// The ways a connection can take, walked as it would go: socket, listener filters, chain, HTTP chain, tunnel, internal
// listener and so on.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "source/base/strings.h"
#include "source/config/check_chains.h"
#include "source/config/check_inspection.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Listener;
using config::v1::NetworkFilter;
using filters::http::v1::ConnectTunnel;
using filters::network::v1::HttpConnection;

// Where on its way a connection is.
struct Place {
  bool named = false;                 // an egress_policy named the policies: later ones go on with them
  std::vector<std::string> policies;  // ... these
  bool in_tunnel = false;             // the destination is a CONNECT's
  bool looked = false;                // a tls_inspector has seen what the stream carries
  bool transparent = false;           // the destination is the connection's own
  bool settled = false;               // ... and an egress_policy has decided on it, from what a tls_inspector saw
  std::string way;                    // for people: "egress > http_connection > connect_tunnel > tunnels"

  Place Then(std::string_view step) const {
    Place next = *this;
    Append(next.way, next.way.empty() ? "" : " > ", step);
    return next;
  }
};

class WayWalker {
 public:
  explicit WayWalker(const Bootstrap& bootstrap) : bootstrap_(bootstrap) {
    for (int i = bootstrap.listeners_size(); i-- > 0;) by_name_[bootstrap.listeners(i).name()] = i;
  }

  std::vector<ConfigError> Run() {
    for (int i = 0; i < bootstrap_.listeners_size(); ++i) {
      const Listener& listener = bootstrap_.listeners(i);
      if (listener.has_internal()) continue;
      Place place;
      place.transparent = listener.transparent() != Listener::OFF;
      EnterListener(i, place);
    }
    for (int i = 0; i < bootstrap_.listeners_size(); ++i) {
      const Listener& listener = bootstrap_.listeners(i);
      if (listener.has_internal() && !entered_.contains(i))
        Add(PathOf(i), ShownValue(listener.name()), "no tunnel enters this listener",
            "name it in a connect_tunnel, or remove it", ConfigError::Severity::kWarning);
    }
    return std::move(errors_);
  }

 private:
  static std::string PathOf(int listener) { return Below("listeners", static_cast<size_t>(listener)); }

  // One field is told of once, though several ways may lead to it.
  void Add(const std::string& path, std::string value, std::string why, std::string remedy,
           ConfigError::Severity severity = ConfigError::Severity::kError) {
    if (!told_.emplace(path, remedy).second) return;
    errors_.push_back({.field = path,
                       .value = std::move(value),
                       .why = std::move(why),
                       .remedy = std::move(remedy),
                       .severity = severity});
  }

  // -1 where there is no such listener.
  int Find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? -1 : found->second;
  }

  void EnterListener(int index, Place place) {
    entered_.insert(index);
    const Listener& listener = bootstrap_.listeners(index);
    place = place.Then(listener.name());
    // The same listener in the same situation has been walked.
    if (!walked_.emplace(index, inside_.size(), place.named, place.policies, place.in_tunnel, place.transparent).second)
      return;
    bool judged = false;  // an egress_policy in this listener's own network filters
    RunListenerFilters(index, place, judged);
    if (listener.chains_of().empty()) {
      CheckSettled(index, place);
      CheckInspected(index, place);
      return RunChains(index, place, judged);
    }
    EnterChainsOf(index, place, judged);
  }

  void EnterChainsOf(int index, const Place& place, bool judged) {
    const int target = Find(bootstrap_.listeners(index).chains_of());
    if (target < 0) return;
    const std::string path = Below(PathOf(index), "chains_of");
    const std::string shown = ShownValue(bootstrap_.listeners(index).chains_of());
    if (target == index) return Add(path, shown, "a circle", "name another listener");
    if (!bootstrap_.listeners(target).chains_of().empty())
      return Add(path, shown, "that listener has none of its own", "name the listener that has the chains");
    entered_.insert(target);
    Place next = place.Then(bootstrap_.listeners(target).name());
    RunListenerFilters(target, next, judged);
    CheckSettled(index, next);
    CheckInspected(target, next);
    RunChains(target, next, judged);
  }

  // Nobody says where a redirected connection may go but what it begins with.
  void CheckSettled(int index, const Place& place) {
    if (place.transparent && !place.settled)
      Add(Below(PathOf(index), "listener_filters"), "",
          "a transparent listener decides on what a connection begins with, before a chain is chosen",
          "put tls_inspector and, after it, egress_policy into listener_filters");
  }

  // Where TLS is judged, in a tunnel or on a transparent connection.
  void CheckInspected(int index, const Place& place) {
    const Listener& listener = bootstrap_.listeners(index);
    const bool has_chains = listener.filters_size() + listener.filter_chains_size() > 0;  // else that is what is wrong
    if ((place.in_tunnel || place.transparent) && has_chains && !Decrypts(listener)) AddUninspected(place);
  }

  void AddUninspected(const Place& place) {
    for (const ConfigError& error : CheckUninspected(bootstrap_, place.policies, place.way))
      Add(error.field, error.value, error.why, error.remedy);
  }

  void RunListenerFilters(int index, Place& place, bool& judged) {
    const Listener& listener = bootstrap_.listeners(index);
    const std::string path = Below(PathOf(index), "listener_filters");
    for (int i = 0; i < listener.listener_filters_size(); ++i)
      RunNetwork(listener.listener_filters(i), Below(path, static_cast<size_t>(i)), place, judged);
  }

  void RunChains(int index, const Place& place, bool judged) {
    const Listener& listener = bootstrap_.listeners(index);
    RunChain(listener.filters(), Below(PathOf(index), "filters"), place, judged);
    for (int i = 0; i < listener.filter_chains_size(); ++i)
      RunChain(listener.filter_chains(i).filters(),
               Below(Below(Below(PathOf(index), "filter_chains"), static_cast<size_t>(i)), "filters"), place, judged);
  }

  template <class Filters>
  void RunChain(const Filters& filters, const std::string& path, Place place, bool judged) {
    for (int i = 0; i < filters.size(); ++i) RunNetwork(filters[i], Below(path, static_cast<size_t>(i)), place, judged);
  }

  void RunNetwork(const NetworkFilter& filter, const std::string& path, Place& place, bool& judged) {
    if (filter.has_tls_inspector()) {
      place.looked = true;
    } else if (filter.has_egress_policy()) {
      CheckPolicy(filter.egress_policy(), Below(path, "egress_policy"), place);
      if (!place.in_tunnel && !place.transparent)
        Add(Below(path, "egress_policy"), "",
            Cat("clients of a proxy have named no destination yet (", place.Then("egress_policy").way,
                "): every connection would be refused"),
            "put it into http_connection's filters, where each request names one");
      if (place.in_tunnel && !place.looked)
        Add(Below(path, "egress_policy"), "", Cat("nothing has looked into the tunnel yet (", place.way, ")"),
            "put tls_inspector before it");
      judged = place.named = true;
      place.settled = place.settled || place.looked;
    } else if (filter.has_http_connection()) {
      CheckTarget(filter.http_connection(), Below(path, "http_connection.target"), place);
      RunHttp(filter.http_connection(), Below(path, "http_connection.filters"), place.Then("http_connection"));
    } else if (filter.has_tcp_relay()) {
      if (!judged)
        AddNoPolicy(Below(path, "tcp_relay"), place.Then("tcp_relay"), "listener_filters, or into the chain before it");
      if (!place.in_tunnel && !place.transparent)
        Add(Below(path, "tcp_relay"), "", "no destination is known here",
            "relay inside a tunnel: let connect_tunnel enter an internal listener");
    } else if (filter.has_mitm_terminator()) {
      if (!judged)
        AddNoPolicy(Below(path, "mitm_terminator"), place.Then("mitm_terminator"),
                    "listener_filters, or into the chain before it");
      if (!place.in_tunnel && !place.transparent)
        Add(Below(path, "mitm_terminator"), "", "no destination is known here",
            "decrypt inside a tunnel: let connect_tunnel enter an internal listener");
    }
  }

  void RunHttp(const HttpConnection& connection, const std::string& path, Place place) {
    bool judged = false;
    for (int i = 0; i < connection.filters_size(); ++i) {
      const auto& filter = connection.filters(i);
      const std::string at = Below(path, static_cast<size_t>(i));
      if (filter.has_egress_policy()) {
        CheckPolicy(filter.egress_policy(), Below(at, "egress_policy"), place);
        judged = place.named = true;
      } else if (filter.has_connect_tunnel()) {
        if (!judged) AddNoPolicy(Below(at, "connect_tunnel"), place.Then("connect_tunnel"), "the chain before it");
        EnterTunnel(filter.connect_tunnel(), Below(at, "connect_tunnel.listener"), place.Then("connect_tunnel"));
      } else if (filter.has_forward_router() && !judged) {
        AddNoPolicy(Below(at, "forward_router"), place.Then("forward_router"), "the chain before it");
      }
    }
  }

  void EnterTunnel(const ConnectTunnel& tunnel, const std::string& path, Place place) {
    if (tunnel.listener().empty()) return AddUninspected(place.Then("the built-in tunnel"));
    const int target = Find(tunnel.listener());
    if (target < 0 || !bootstrap_.listeners(target).has_internal()) return;
    entered_.insert(target);
    const std::string shown = ShownValue(tunnel.listener());
    if (std::find(inside_.begin(), inside_.end(), target) != inside_.end())
      return Add(path, shown, Cat("a circle (", place.Then(tunnel.listener()).way, ")"),
                 "name another listener, or none");
    if (inside_.size() >= kMostTunnelsInTunnels)
      return Add(path, shown, Cat("more than ", kMostTunnelsInTunnels, " tunnels in tunnels (", place.way, ")"),
                 "name another listener, or none");
    place.in_tunnel = true;
    place.looked = place.transparent = false;
    inside_.push_back(target);
    EnterListener(target, place);
    inside_.pop_back();
  }

  // Of the network and the HTTP filter alike.
  template <class EgressPolicy>
  void CheckPolicy(const EgressPolicy& filter, const std::string& path, Place& place) {
    if (!filter.policy().empty() && filter.policies_size() > 0)
      Add(Below(path, "policy"), "", "policies is given as well, and only one of them can be", "remove one");
    const bool names = !filter.policy().empty() || filter.policies_size() > 0;
    if (!place.named && !names)
      Add(path, "", Cat("no policy is named (", place.Then("egress_policy").way, ")"),
          "the first egress_policy of a connection names them: egress_policy: {policy: ...}");
    if (place.named && names)
      Add(path, "", Cat("the policies are already named (", place.Then("egress_policy").way, ")"),
          "later ones go on with the first: write egress_policy: {}");
    std::set<std::string> seen;
    if (!place.named) {
      place.policies.assign(filter.policies().begin(), filter.policies().end());
      if (!filter.policy().empty()) place.policies.push_back(filter.policy());
    }
    for (int i = 0; i < filter.policies_size(); ++i)
      if (!seen.insert(filter.policies(i)).second)
        Add(Below(Below(path, "policies"), static_cast<size_t>(i)), ShownValue(filter.policies(i)), "named twice",
            "remove one");
  }

  void AddNoPolicy(const std::string& path, const Place& place, std::string_view where) {
    Add(path, "", Cat("reached without egress_policy (", place.way, ")"), Cat("put egress_policy into ", where));
  }

  void CheckTarget(const HttpConnection& connection, const std::string& path, const Place& place) {
    const auto target = connection.target();
    const bool fits =
        target == HttpConnection::BY_PLACE || target == (place.in_tunnel     ? HttpConnection::TUNNEL
                                                         : place.transparent ? HttpConnection::HOST
                                                                             : HttpConnection::ABSOLUTE_FORM);
    if (!fits)
      Add(path, HttpConnection::Target_Name(target), Cat("not in this place (", place.Then("http_connection").way, ")"),
          "leave it out: the place says it");
  }

  const Bootstrap& bootstrap_;
  std::map<std::string, int> by_name_;
  std::vector<int> inside_;  // internal listeners that the walk is in
  std::set<int> entered_;
  std::set<std::tuple<int, size_t, bool, std::vector<std::string>, bool, bool>> walked_;
  std::set<std::pair<std::string, std::string>> told_;
  std::vector<ConfigError> errors_;
};

}  // namespace

std::vector<ConfigError> CheckWays(const Bootstrap& bootstrap) { return WayWalker(bootstrap).Run(); }

}  // namespace egret
