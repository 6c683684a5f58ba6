#include "source/run/configuration.h"

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/config/load.h"
#include "source/config/validate.h"
#include "source/run/allowance.h"
#include "source/run/environment.h"
#include "source/run/policy_files.h"
#include "source/run/ready_policies.h"
#include "source/run/run_yaml.h"
#include "source/server/parent.h"
#include "source/tls/certificates.h"
#include "source/tls/java_trust.h"
#include "source/tls/new_authority.h"

namespace egret {
namespace {

using config::v1::Bootstrap;
using config::v1::EgressPolicy;
using config::v1::Listener;
using config::v1::Rule;

// Of rules with the same name the later ones get a number.
void MakeUnique(std::string& name, std::set<std::string>& taken) {
  const std::string first = name.substr(0, 58);
  for (int i = 2; !taken.insert(name).second; ++i) name = Cat(first, "-", i);
}

// The rules of a ready policy; `name`: without the @.
Result<std::vector<Rule>, Problem> RulesNamed(std::string_view name) {
  std::string known;
  for (const ReadyPolicy& ready : ReadyPolicies()) {
    Append(known, known.empty() ? "@" : ", @", ready.name);
    if (ready.name != name) continue;
    Bootstrap file;
    CHECK(Load(ready.text, ready.name, Format::kYaml, file).ok());
    return std::vector<Rule>(file.policies(0).rules().begin(), file.policies(0).rules().end());
  }
  return Problem{Cat('@', name, ": no such ready policy; there are ", known)};
}

Result<std::vector<Rule>, Problem> RulesOf(const std::string& text, const RunOptions& options) {
  if (!text.starts_with('@')) {
    auto rule = RuleOf(text, options.private_ranges);
    if (!rule) return rule.error();
    return std::vector{std::move(*rule)};
  }
  auto rules = RulesNamed(std::string_view(text).substr(1));
  if (!rules) return rules;
  for (Rule& rule : *rules)
    for (const std::string& range : options.private_ranges) rule.add_reaches_private(range);
  return rules;
}

Result<EgressPolicy, Problem> PolicyOf(const RunOptions& options) {
  EgressPolicy policy;
  policy.set_name("run");
  std::set<std::string> names;
  for (const std::string& text : options.allow) {
    auto rules = RulesOf(text, options);
    if (!rules) return Problem{Cat("--allow ", rules.error().text)};
    for (Rule& rule : *rules) {
      MakeUnique(*rule.mutable_name(), names);
      *policy.add_rules() = std::move(rule);
    }
  }
  return policy;
}

// Whatever has a name or an address, on any port. The guards stay: a rule for any name reaches nothing private.
EgressPolicy PolicyToLearnBy(const RunOptions& options) {
  EgressPolicy policy;
  policy.set_name("learning");
  for (const char* const name : {"any-name", "any-address"}) {
    Rule& rule = *policy.add_rules();
    rule.set_name(name);
    rule.set_action(Rule::ALLOW);
    config::v1::To& to = *rule.mutable_to();
    config::v1::To::PortRange& ports = *to.add_port_ranges();
    ports.set_first(1);
    ports.set_last(65535);
    for (const auto protocol : {config::v1::To::TLS, config::v1::To::HTTP, config::v1::To::OTHER})
      to.add_protocols(protocol);
  }
  Rule& addresses = *policy.mutable_rules()->rbegin();
  for (const char* const range : {"0.0.0.0/0", "::/0"}) addresses.mutable_to()->add_cidrs(range);
  for (const std::string& range : options.private_ranges) addresses.add_reaches_private(range);
  return policy;
}

Result<PolicyFiles, Problem> PoliciesOf(const RunOptions& options) {
  if (!options.learn.empty() && !(options.policy.empty() && options.allow.empty()))
    return Problem{"--learn: everything is let through then; leave --allow and --policy out"};
  if (options.policy.empty()) {
    auto policy = options.learn.empty() ? PolicyOf(options) : PolicyToLearnBy(options);
    if (!policy) return policy.error();
    PolicyFiles files;
    *files.resources.add_policies() = std::move(*policy);
    return files;
  }
  if (!options.allow.empty() || !options.private_ranges.empty())
    return Problem{"--policy: either that, or --allow and --private"};
  auto files = ReadPolicyFiles(options.policy);
  if (files && files->resources.policies().empty())
    return Problem{Cat("--policy ", options.policy, ": there is no policy in it")};
  return files;
}

// Whether some rule wants to see what is in TLS.
bool Inspects(const Bootstrap& bootstrap) {
  for (const EgressPolicy& policy : bootstrap.policies())
    for (const Rule& rule : policy.rules())
      if (rule.has_http() || rule.inspection() == Rule::REQUIRED) return true;
  return false;
}

// All of them together decide, in each listener that connections come in by.
void NamePolicies(Bootstrap& bootstrap) {
  for (Listener& listener : *bootstrap.mutable_listeners())
    for (const EgressPolicy& policy : bootstrap.policies()) {
      if (listener.name() == "proxy")
        listener.mutable_filters(0)
            ->mutable_http_connection()
            ->mutable_filters(0)
            ->mutable_egress_policy()
            ->add_policies(policy.name());
      if (listener.name() == "transparent")
        listener.mutable_listener_filters(0)->mutable_egress_policy()->add_policies(policy.name());
    }
}

// A CA that lives as long as the run, in memory alone. Gives its certificate.
Result<std::string, Problem> AddAuthority(Bootstrap& bootstrap) {
  constexpr int64_t kLifetimeSeconds = int64_t{30} * 86400;
  const auto made = MakeAuthority({.common_name = "egret run", .lifetime_s = kLifetimeSeconds}, nullptr, time(nullptr));
  if (!made) return made.error();
  std::string certificate = PemOf(made->certificate.get());
  config::v1::Secret& secret = *bootstrap.add_secrets();
  secret.set_name("run-ca");
  secret.mutable_certificate_authority()->mutable_certificate()->set_inline_string(certificate);
  secret.mutable_certificate_authority()->mutable_key()->set_inline_string(PemOf(made->key.get()));
  return certificate;
}

std::optional<Problem> UseParent(const RunOptions& options, Bootstrap& bootstrap) {
  if (options.parent.empty()) return std::nullopt;
  const std::string url = options.parent == "env" ? CallersProxy() : options.parent;
  if (url.empty()) return Problem{"--parent env: none of https_proxy, all_proxy and http_proxy is set"};
  return GoOutThrough(url, options.parent_credentials, bootstrap);
}

void LeaveOutInspection(Bootstrap& bootstrap) {
  for (Listener& listener : *bootstrap.mutable_listeners()) {
    auto& chains = *listener.mutable_filter_chains();
    const auto end =
        std::remove_if(chains.begin(), chains.end(), [](const auto& one) { return one.name() == "inspected"; });
    chains.erase(end, chains.end());
  }
}

}  // namespace

Result<RunConfiguration, Problem> ConfigurationOf(const RunOptions& options) {
  RunConfiguration made;
  Bootstrap& bootstrap = made.settings.bootstrap;
  CHECK(Load(RunYaml(), "run.yaml", Format::kYaml, bootstrap).ok());
  auto files = PoliciesOf(options);
  if (!files) return files.error();
  bootstrap.MergeFrom(files->resources);
  NamePolicies(bootstrap);
  if (std::optional<Problem> problem = UseParent(options, bootstrap)) return std::move(*problem);
  if (Inspects(bootstrap)) {
    const auto certificate = AddAuthority(bootstrap);
    if (!certificate) return certificate.error();
    made.trust_pem = SystemRootsPem() + *certificate;
    auto java = JavaTrustOf(made.trust_pem);
    if (!java) return java.error();
    made.trust_java = std::move(*java);
  } else {
    LeaveOutInspection(bootstrap);
  }
  const std::vector<ConfigError> errors = Validate(bootstrap, files->locations);
  if (HasErrors(errors)) return Problem{ToString(errors)};
  return made;
}

void ServeOn(const std::vector<NamedSocket>& sockets, Bootstrap& bootstrap) {
  const auto listeners = std::exchange(*bootstrap.mutable_listeners(), {});
  for (Listener listener : listeners) {
    const auto is_its = [&listener](const NamedSocket& one) { return one.name == Cat("listener ", listener.name()); };
    const auto found = std::find_if(sockets.begin(), sockets.end(), is_its);
    if (found == sockets.end() && !listener.has_internal()) continue;
    if (found != sockets.end()) listener.set_address(found->socket.bound().ToString());
    *bootstrap.add_listeners() = std::move(listener);
  }
}

}  // namespace egret
