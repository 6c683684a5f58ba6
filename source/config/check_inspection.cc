#include "source/config/check_inspection.h"

#include <algorithm>
#include <cstddef>

#include "source/base/strings.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::ChainMatch;
using config::v1::FilterChain;
using config::v1::Listener;
using config::v1::Rule;
using config::v1::To;

template <class Filters>
bool HasTerminator(const Filters& filters) {
  return std::any_of(filters.begin(), filters.end(), [](const auto& filter) { return filter.has_mitm_terminator(); });
}

// An audited rule decides nothing, so it asks for nothing either.
bool NeedsInside(const Rule& rule) {
  const auto& protocols = rule.to().protocols();
  const bool tls = protocols.empty() || std::find(protocols.begin(), protocols.end(), To::TLS) != protocols.end();
  return tls && rule.mode() == Rule::ENFORCE && (rule.has_http() || rule.inspection() == Rule::REQUIRED);
}

bool MayTake(const ChainMatch& match) {
  return match.verdict() != ChainMatch::RELAY &&
         (match.protocol() == ChainMatch::ANY_PROTOCOL || match.protocol() == ChainMatch::TLS);
}

bool TakesAll(const ChainMatch& match) {
  return match.server_names_size() + match.alpn_size() + match.ports_size() + match.source_cidrs_size() == 0;
}

}  // namespace

bool Decrypts(const Listener& listener) {
  if (HasTerminator(listener.filters())) return true;
  for (const FilterChain& chain : listener.filter_chains()) {
    if (!MayTake(chain.match())) continue;
    if (HasTerminator(chain.filters())) return true;
    if (TakesAll(chain.match())) return false;  // what comes after it is never reached
  }
  return false;
}

std::vector<ConfigError> CheckUninspected(const Bootstrap& bootstrap, const std::vector<std::string>& policies,
                                          const std::string& way) {
  std::vector<ConfigError> errors;
  for (int i = 0; i < bootstrap.policies_size(); ++i) {
    const auto& policy = bootstrap.policies(i);
    if (std::find(policies.begin(), policies.end(), policy.name()) == policies.end()) continue;
    for (int j = 0; j < policy.rules_size(); ++j) {
      const Rule& rule = policy.rules(j);
      if (!NeedsInside(rule)) continue;
      const std::string at = Below(Below(Below("policies", static_cast<size_t>(i)), "rules"), static_cast<size_t>(j));
      errors.push_back({.field = Below(at, rule.has_http() ? "http" : "inspection"),
                        .value = ShownValue(rule.name()),
                        .why = Cat("can be told only from inside TLS, and nothing decrypts it (", way, ")"),
                        .remedy = "let a chain with mitm_terminator take what is to be inspected there, or say to: "
                                  "{protocols: [HTTP]} where HTTP in clear is meant"});
    }
  }
  return errors;
}

}  // namespace egret
