// The smallest readable policy that allows what traffic tells of: hosts that are used alike share a rule.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "source/learn/traffic.h"

namespace egret {

// What one rule allows.
struct ProposedRule {
  // Whatever hosts of one rule have in common.
  struct Likeness {
    std::string identity;  // empty: anybody
    std::set<uint16_t> ports;
    std::set<Use::Carries> carries;
    std::vector<std::string> methods, prefixes;  // empty: any; both empty: not looked at
    std::vector<std::string> private_addresses;
    std::vector<std::string> ech_names;
    bool literal = false;  // the hosts are addresses
    bool without_sni = false;
    friend auto operator<=>(const Likeness&, const Likeness&) = default;
  };
  struct Host {
    std::string pattern;
    Times times;
    size_t names = 1;              // that a wildcard stands for
    bool of_one_identity = false;  // of several
  };

  Likeness likeness;
  std::vector<Host> hosts;  // never empty
};

// `per_identity`: each gets rules of its own, and whoever has none rules for anybody. Else all rules are for anybody.
std::vector<ProposedRule> ProposeRules(const Traffic& traffic, bool per_identity);

// As a file of resources in YAML, with what speaks for each line as comments. `by`: what it is made by and from, for
// its first line.
std::string ProposedYaml(const Traffic& traffic, const std::vector<ProposedRule>& rules, std::string_view policy_name,
                         std::string_view by);

}  // namespace egret
