#include "source/ctl/listener_policies.h"

#include <algorithm>
#include <utility>

#include "source/base/strings.h"
#include "source/config/nearest.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Listener;

const Listener* Find(const Bootstrap& bootstrap, std::string_view name) {
  for (const Listener& listener : bootstrap.listeners())
    if (listener.name() == name) return &listener;
  return nullptr;
}

// Walks as a connection would, until policies are named. Each step says whether that was now.
class Walk {
 public:
  explicit Walk(ListenerPolicies& found) : found_(found) {}

  bool Enter(const Listener& listener) {
    if (Network(listener.listener_filters()) || Network(listener.filters())) return true;
    return std::any_of(listener.filter_chains().begin(), listener.filter_chains().end(),
                       [this](const auto& chain) { return Network(chain.filters()); });
  }

 private:
  template <class Filters>
  bool Network(const Filters& filters) {
    certificate_ = false;
    for (const auto& filter : filters) {
      if (filter.has_egress_policy() && Named(filter.egress_policy())) return true;
      const auto mode = filter.tls_terminator().client_certificates().mode();
      certificate_ = certificate_ || mode != filters::network::v1::TlsTerminator::ClientCertificates::NONE;
      if (filter.has_http_connection() && Http(filter.http_connection().filters())) return true;
    }
    return false;
  }

  template <class Filters>
  bool Http(const Filters& filters) {
    found_.asks_who = certificate_;
    found_.demands_credential = false;
    for (const auto& filter : filters) {
      if (filter.has_egress_policy() && Named(filter.egress_policy())) return true;
      if (!filter.has_proxy_auth()) continue;
      found_.asks_who = true;
      found_.demands_credential = !filter.proxy_auth().optional();
    }
    return false;
  }

  template <class EgressPolicy>
  bool Named(const EgressPolicy& filter) {
    found_.policies.assign(filter.policies().begin(), filter.policies().end());
    if (!filter.policy().empty()) found_.policies.push_back(filter.policy());
    return !found_.policies.empty();
  }

  ListenerPolicies& found_;
  bool certificate_ = false;  // a tls_terminator that asks for one stands in this chain
};

template <class Filters>
bool Decrypt(const Filters& filters) {
  return std::any_of(filters.begin(), filters.end(), [](const auto& filter) { return filter.has_mitm_terminator(); });
}

bool Decrypts(const Listener& listener) {
  const auto& chains = listener.filter_chains();
  return Decrypt(listener.filters()) ||
         std::any_of(chains.begin(), chains.end(), [](const auto& chain) { return Decrypt(chain.filters()); });
}

std::string Listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) Append(out, out.empty() ? "" : ", ", name);
  return out;
}

Result<const Listener*, Problem> Choose(const Bootstrap& bootstrap, std::string_view name) {
  std::vector<std::string> names;
  for (const Listener& listener : bootstrap.listeners())
    if (!listener.has_internal()) names.push_back(listener.name());
  if (name.empty() && names.size() > 1)
    return Problem{Cat("several listeners, ", Listed(names), "; say which with --listener NAME")};
  if (name.empty() && names.empty()) return Problem{"no listener has a socket; say --policy NAME or --listener NAME"};
  const Listener* found = Find(bootstrap, name.empty() ? names.front() : name);
  if (found == nullptr) return Problem{Cat("--listener ", name, ": no such listener; ", Suggest(name, names))};
  return found;
}

}  // namespace

Result<ListenerPolicies, Problem> PoliciesOf(const Bootstrap& bootstrap, std::string_view name) {
  const Result<const Listener*, Problem> listener = Choose(bootstrap, name);
  if (!listener) return listener.error();
  ListenerPolicies out;
  out.listener = (*listener)->name();
  out.decrypts = std::any_of(bootstrap.listeners().begin(), bootstrap.listeners().end(), Decrypts);
  const Listener* with_chains = Find(bootstrap, (*listener)->chains_of());
  Walk walk(out);
  if (walk.Enter(**listener) || (with_chains != nullptr && walk.Enter(*with_chains))) return out;
  return Problem{Cat("listener ", out.listener,
                     " names no policies, it goes on with those of whoever enters it; say --policy NAME")};
}

}  // namespace egret
