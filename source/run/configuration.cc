#include "source/run/configuration.h"

#include <set>
#include <utility>

#include "source/base/check.h"
#include "source/base/strings.h"
#include "source/config/load.h"
#include "source/config/validate.h"
#include "source/run/allowance.h"
#include "source/run/run_yaml.h"

namespace egret {
namespace {

using config::v1::EgressPolicy;

// Of rules with the same name the later ones get a number.
void MakeUnique(std::string& name, std::set<std::string>& taken) {
  const std::string first = name.substr(0, 58);
  for (int i = 2; !taken.insert(name).second; ++i) name = Cat(first, "-", i);
}

Result<EgressPolicy, Problem> PolicyOf(const RunOptions& options) {
  EgressPolicy policy;
  policy.set_name("run");
  std::set<std::string> names;
  for (const std::string& text : options.allow) {
    auto rule = RuleOf(text, options.private_ranges);
    if (!rule) return Problem{Cat("--allow ", rule.error().text)};
    MakeUnique(*rule->mutable_name(), names);
    *policy.add_rules() = std::move(*rule);
  }
  return policy;
}

}  // namespace

Result<Settings, Problem> SettingsOf(const RunOptions& options) {
  Settings settings;
  CHECK(Load(RunYaml(), "run.yaml", Format::kYaml, settings.bootstrap).ok());
  auto policy = PolicyOf(options);
  if (!policy) return policy.error();
  *settings.bootstrap.add_policies() = std::move(*policy);
  const std::vector<ConfigError> errors = Validate(settings.bootstrap);
  if (HasErrors(errors)) return Problem{ToString(errors)};
  return settings;
}

void ServeOn(const std::vector<NamedSocket>& sockets, config::v1::Bootstrap& bootstrap) {
  const auto listeners = std::exchange(*bootstrap.mutable_listeners(), {});
  for (config::v1::Listener listener : listeners)
    for (const NamedSocket& named : sockets)
      if (named.name == Cat("listener ", listener.name())) {
        listener.set_address(named.socket.bound().ToString());
        *bootstrap.add_listeners() = listener;
      }
}

}  // namespace egret
