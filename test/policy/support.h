// Short ways to write policies and facts in tests.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "source/base/check.h"
#include "source/policy/compile.h"
#include "source/policy/policy.h"

namespace egret {

inline IpAddress Ip(std::string_view text) {
  const auto address = IpAddress::Parse(text);
  CHECK(address);
  return *address;
}

inline Target To(std::string_view authority) {
  auto target = ParseAuthority(authority, std::nullopt);
  CHECK(target);
  return *target;
}

inline RuleSpec Rule(std::string name, RuleSpec::Action action, std::vector<std::string> domains) {
  RuleSpec out;
  out.name = std::move(name);
  out.action = action;
  out.to.domains = std::move(domains);
  return out;
}
inline RuleSpec Allow(std::string name, std::vector<std::string> domains = {}) {
  return Rule(std::move(name), RuleSpec::Action::kAllow, std::move(domains));
}
inline RuleSpec Deny(std::string name, std::vector<std::string> domains = {}) {
  return Rule(std::move(name), RuleSpec::Action::kDeny, std::move(domains));
}

inline PolicySpec OnePolicy(std::string name, std::vector<RuleSpec> rules) {
  PolicySpec out;
  out.name = std::move(name);
  out.rules = std::move(rules);
  return out;
}

inline std::shared_ptr<const Policy> MustCompile(const PolicySetSpec& spec) {
  auto compiled = Compile(spec);
  if (!compiled) {
    for (const PolicyError& error : compiled.error()) ADD_FAILURE() << error.ToString();
    CHECK(compiled);
  }
  return *compiled;
}

// One policy "p" of these rules.
inline std::shared_ptr<const Policy> Rules(std::vector<RuleSpec> rules) {
  return MustCompile({{OnePolicy("p", std::move(rules))}, {}, {}});
}

inline PolicyStack Stack(std::vector<std::string> names = {"p"}) { return PolicyStack(std::move(names)); }

}  // namespace egret
