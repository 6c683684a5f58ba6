#include "source/server/configuration.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "source/base/strings.h"
#include "source/config/duration.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Listener;
using Sockets = Result<std::vector<ListenSocket>, std::string>;

// One for each worker, all of one Unix socket.
Sockets Copies(ListenSocket first, uint32_t workers) {
  std::vector<ListenSocket> sockets;
  sockets.push_back(std::move(first));
  while (sockets.size() < workers) {
    Result<ListenSocket, std::string> socket = ListenSocket::Adopt(dup(sockets.front().fd()));
    if (!socket) return socket.error();
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

// One for each worker on the same address.
Sockets OpenForAll(const ListenAddress& address, uint32_t workers, ListenOptions options) {
  // First alone: with SO_REUSEPORT, another process of ours on this port would not be noticed.
  Result<ListenSocket, std::string> first = ListenSocket::Open(address, options);
  if (!first) return first.error();
  const ListenAddress bound = first->bound();
  if (!bound.path.empty() || workers == 1) return Copies(std::move(*first), workers);
  {
    const ListenSocket closed = std::move(*first);
  }
  options.reuse_port = true;
  std::vector<ListenSocket> sockets;
  while (sockets.size() < workers) {
    Result<ListenSocket, std::string> socket = ListenSocket::Open(bound, options);
    if (!socket) return socket.error();
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

// A secret's problem begins with "secrets.NAME."; anything else is about the configuration as a whole.
ConfigError ErrorOf(const Problem& problem, const Bootstrap& bootstrap) {
  constexpr std::string_view kSecrets = "secrets.";
  const size_t at = problem.text.find(kSecrets);
  for (int i = 0; at != std::string::npos && i < bootstrap.secrets_size(); ++i) {
    const std::string before = Cat(kSecrets, bootstrap.secrets(i).name(), ".");
    std::string_view rest = std::string_view(problem.text).substr(at);
    if (!rest.starts_with(before)) continue;
    rest.remove_prefix(before.size());
    const std::string_view field = SplitFirst(rest, ':');
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    return {.field = Below(Below("secrets", static_cast<size_t>(i)), field), .why = std::string(rest)};
  }
  return {.why = problem.text};
}

const BoundListener* FindBound(const Configuration* in, const Listener& listener) {
  if (in == nullptr) return nullptr;
  const bool tproxy = TransparentOf(listener) == Transparent::kTproxy;
  for (const BoundListener& bound : in->listeners)
    if (bound.name == listener.name() && bound.configured == listener.address() && bound.tproxy == tproxy)
      return &bound;
  return nullptr;
}

}  // namespace

Snapshot Configuration::snapshot() const {
  Snapshot out{policies.policy, built.chains};
  if (bootstrap->has_revocation_grace()) out.revocation_grace_ms = Milliseconds(bootstrap->revocation_grace());
  return out;
}

Result<PreparedConfiguration, std::vector<ConfigError>> ConfigurationMaker::Make(
    std::shared_ptr<const Bootstrap> bootstrap, const Configuration* before, HandedSockets& handed) {
  PreparedConfiguration prepared;
  prepared.opened.resize(workers_);
  auto next = std::make_shared<Configuration>();
  next->bootstrap = std::move(bootstrap);
  Result<BuiltChains, Problem> built =
      BuildChains(*next->bootstrap, defaults_, before == nullptr ? nullptr : &before->built);
  if (!built) return std::vector{ErrorOf(built.error(), *next->bootstrap)};
  next->built = std::move(*built);
  std::vector<ConfigError> errors = OpenListeners(before, handed, *next, prepared);
  if (errors.empty()) errors = CompilePolicy(before, *next);
  if (!errors.empty()) return errors;
  next->made = Count(before, *next);
  prepared.next = std::move(next);
  return prepared;
}

std::vector<ConfigError> ConfigurationMaker::OpenListeners(const Configuration* before, HandedSockets& handed,
                                                           Configuration& next, PreparedConfiguration& prepared) {
  std::vector<ConfigError> errors;
  for (int i = 0; i < next.bootstrap->listeners_size(); ++i) {
    const Listener& listener = next.bootstrap->listeners(i);
    if (listener.ingress_case() != Listener::kAddress) continue;
    if (const BoundListener* const bound = FindBound(before, listener)) {
      next.listeners.push_back(*bound);
      next.built.commits.push_back(
          [count = bound->connections, most = listener.max_connections()] { count->SetMost(most); });
      continue;
    }
    Sockets opened = SocketsFor(listener, handed);
    if (opened) {
      next.listeners.push_back(Bind(listener, std::move(*opened), prepared));
    } else {
      errors.push_back({.field = Below(Below("listeners", static_cast<size_t>(i)), "address"),
                        .value = ShownValue(listener.address()),
                        .why = Cat("listener ", listener.name(), ": ", opened.error())});
    }
  }
  if (before == nullptr) return errors;
  for (const BoundListener& bound : before->listeners) {
    const auto same = [&bound](const BoundListener& other) { return other.number == bound.number; };
    if (std::none_of(next.listeners.begin(), next.listeners.end(), same)) prepared.closed.push_back(bound.number);
  }
  return errors;
}

Sockets ConfigurationMaker::SocketsFor(const Listener& listener, HandedSockets& handed) const {
  const ListenAddress address = *ListenAddress::Parse(listener.address());  // validated
  std::vector<ListenSocket> taken = handed.Take(address, Cat("listener ", listener.name()));
  if (!taken.empty()) return EnoughFor(workers_, std::move(taken));
  ListenOptions options;
  options.transparent = TransparentOf(listener) == Transparent::kTproxy;
  return OpenForAll(address, workers_, options);
}

BoundListener ConfigurationMaker::Bind(const Listener& listener, std::vector<ListenSocket> sockets,
                                       PreparedConfiguration& prepared) {
  BoundListener bound;
  bound.name = listener.name();
  bound.configured = listener.address();
  bound.tproxy = TransparentOf(listener) == Transparent::kTproxy;
  bound.address = sockets.front().bound();
  bound.number = ++last_number_;
  bound.connections = std::make_shared<ConnectionCount>(listener.max_connections());
  for (size_t i = 0; i < sockets.size(); ++i) {
    bound.fds.push_back(sockets[i].fd());
    prepared.opened[i % workers_].push_back({bound.name, bound.number, std::move(sockets[i]), bound.connections});
  }
  return bound;
}

std::vector<Endpoint> ConfigurationMaker::OwnOf(const Configuration& configuration) const {
  std::vector<Endpoint> own = own_;
  for (const BoundListener& listener : configuration.listeners)
    if (listener.address.path.empty()) own.push_back(listener.address.ip);
  return own;
}

std::vector<ConfigError> ConfigurationMaker::CompilePolicy(const Configuration* before, Configuration& next) const {
  auto compiled = CompilePolicies(next.bootstrap, OwnOf(next), before == nullptr ? nullptr : &before->policies);
  if (!compiled) return compiled.error();
  next.policies = std::move(*compiled);
  return {};
}

MadeCounts ConfigurationMaker::Count(const Configuration* before, const Configuration& next) {
  MadeCounts made = before == nullptr ? MadeCounts() : before->made;
  for (const auto& [name, kept] : next.built.listeners) {
    const bool fresh = before == nullptr || !before->built.listeners.contains(name) ||
                       before->built.listeners.find(name)->second.built != kept.built;
    made.listeners += fresh ? 1 : 0;
  }
  if (before != nullptr && before->policies.policy == next.policies.policy) return made;
  made.policies += next.policies.policy->made().policies;
  made.domain_sets += next.policies.policy->made().domain_sets;
  return made;
}

}  // namespace egret
