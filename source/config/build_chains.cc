#include "source/config/build_chains.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "source/config/tls_secrets.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::Listener;

class ChainsBuilder {
 public:
  ChainsBuilder(const Bootstrap& bootstrap, const ChainDefaults& defaults, const BuiltChains& before)
      : bootstrap_(bootstrap), defaults_(defaults), before_(before) {
    built_.secrets = std::make_shared<const SecretTable>(bootstrap, before.secrets.get());
    for (const Listener& listener : bootstrap.listeners()) by_name_.emplace(listener.name(), &listener);
  }

  Result<BuiltChains, Problem> Build() {
    for (const auto step : {&ChainsBuilder::Share, &ChainsBuilder::Listeners, &ChainsBuilder::Renew})
      if (std::optional<Problem> problem = (this->*step)()) return std::move(*problem);
    return std::move(built_);
  }

 private:
  // What there is once.
  std::optional<Problem> Share() {
    Result<NextHops, Problem> hops = BuildNextHops(bootstrap_, *built_.secrets, before_.hops);
    if (!hops) return hops.error();
    built_.hops = std::move(*hops);
    Result<Authorities, Problem> authorities = LoadAuthorities(*built_.secrets, before_.authorities);
    if (!authorities) return authorities.error();
    built_.authorities = std::move(*authorities);
    built_.authority_pages = before_.authority_pages ? before_.authority_pages : std::make_shared<AuthorityPages>();
    built_.commits.push_back([pages = built_.authority_pages, all = built_.authorities] {
      AuthorityPages::Authorities shown;
      for (const auto& [name, authority] : all) shown.push_back(authority.authority);
      pages->Set(std::move(shown));
    });
    built_.workloads = MakeWorkloadTables(bootstrap_, before_.workloads, built_.commits);
    return ShareOrigins();
  }

  std::optional<Problem> ShareOrigins() {
    built_.origins = before_.origins;
    built_.origins_part = before_.origins_part;
    if (built_.origins != nullptr) return std::nullopt;
    Result<ClientTls, Problem> tls =
        MakeClientTls(*built_.secrets, config::v1::ClientTls::default_instance(), "", "forward_router");
    if (!tls) return Problem{"forward_router: " + tls.error().text};
    built_.origins = std::move(tls->context);
    built_.origins_part = std::make_shared<const Renewable>(std::move(tls->part));
    return std::nullopt;
  }

  std::optional<Problem> Listeners() {
    SharedParts shared{defaults_,
                       *built_.secrets,
                       built_.hops,
                       built_.authorities,
                       built_.origins,
                       built_.authority_pages,
                       built_.workloads,
                       before_.passwords,
                       All(before_, &BuiltListener::taps),
                       All(before_, &BuiltListener::feeds)};
    auto chains = std::make_shared<Chains>();
    for (const Listener& listener : bootstrap_.listeners()) {
      const Listener* const other = ChainsOf(listener);
      BuiltChains::Kept kept{listener.SerializeAsString(), nullptr};
      if (other != nullptr) kept.message += other->SerializeAsString();
      kept.built = AsBefore(listener.name(), kept.message);
      if (kept.built == nullptr) {
        Result<BuiltListener, Problem> built = BuildListener(listener, other, shared);
        if (!built) return built.error();
        kept.built = std::make_shared<const BuiltListener>(std::move(*built));
      }
      chains->listeners[listener.name()] = kept.built->chains;
      built_.listeners[listener.name()] = std::move(kept);
    }
    built_.chains = std::move(chains);
    built_.passwords = std::move(shared.passwords);
    BeginTaps();
    for (const auto& [key, built] : All(built_, &BuiltListener::feeds))
      built_.commits.push_back([feed = built->feed] { feed->Begin(); });
    return std::nullopt;
  }

  const Listener* ChainsOf(const Listener& listener) const {
    const auto other = by_name_.find(listener.chains_of());
    return listener.chains_of().empty() || other == by_name_.end() ? nullptr : other->second;
  }

  // Null where it has to be built.
  std::shared_ptr<const BuiltListener> AsBefore(const std::string& name, const std::string& message) const {
    const auto known = before_.listeners.find(name);
    if (known == before_.listeners.end() || known->second.message != message) return nullptr;
    const BuiltListener& built = *known->second.built;
    const bool same_hops = std::all_of(built.hops.begin(), built.hops.end(), [this](const auto& held) {
      const auto now = built_.hops.find(held.first);
      return now != built_.hops.end() && now->second.get() == held.second;
    });
    const bool same_cas = std::all_of(built.authorities.begin(), built.authorities.end(), [this](const auto& held) {
      const auto now = built_.authorities.find(held.first);
      return now != built_.authorities.end() && now->second.authority.get() == held.second;
    });
    return same_hops && same_cas ? known->second.built : nullptr;
  }

  // What the listeners of a configuration have of these, each once.
  template <class Map>
  static Map All(const BuiltChains& chains, Map BuiltListener::* of) {
    Map all;
    for (const auto& [name, listener] : chains.listeners)
      all.insert((*listener.built.*of).begin(), (*listener.built.*of).end());
    return all;
  }

  void BeginTaps() {
    for (const auto& [key, tap] : All(built_, &BuiltListener::taps)) {
      built_.taps.push_back(tap);
      if (tap->state() == TapFile::State::kNew) built_.commits.push_back([begun = tap] { begun->Begin(); });
    }
  }

  // What was taken over goes on with the secrets of now.
  std::optional<Problem> Renew() {
    built_.renewables.push_back(built_.origins_part);
    for (const auto& [name, authority] : built_.authorities) built_.renewables.push_back(authority.part);
    for (const auto& [name, hop] : built_.hops) Append(hop->renewables);
    for (const auto& [name, listener] : built_.listeners) Append(listener.built->renewables);
    for (const auto& [key, built] : All(built_, &BuiltListener::feeds)) built_.renewables.push_back(built->tls);
    if (before_.secrets == nullptr) return std::nullopt;
    const std::unordered_set<std::shared_ptr<const Renewable>> known(before_.renewables.begin(),
                                                                     before_.renewables.end());
    for (const auto& part : built_.renewables) {
      if (!known.contains(part) || !built_.secrets->Changed(part->secrets, *before_.secrets)) continue;
      Result<Commit, Problem> made = part->make(*built_.secrets);
      if (!made) return Problem{part->what + ": " + made.error().text};
      built_.commits.push_back(std::move(*made));
    }
    return std::nullopt;
  }

  void Append(const std::vector<std::shared_ptr<const Renewable>>& parts) {
    built_.renewables.insert(built_.renewables.end(), parts.begin(), parts.end());
  }

  const Bootstrap& bootstrap_;
  const ChainDefaults& defaults_;
  const BuiltChains& before_;
  std::unordered_map<std::string, const Listener*> by_name_;
  BuiltChains built_;
};

}  // namespace

Result<BuiltChains, Problem> BuildChains(const Bootstrap& bootstrap, const ChainDefaults& defaults,
                                         const BuiltChains* before) {
  const BuiltChains nothing;
  return ChainsBuilder(bootstrap, defaults, before == nullptr ? nothing : *before).Build();
}

}  // namespace egret
