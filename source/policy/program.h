// Compiled policies: what Compile() makes, a Policy owns and an Evaluation runs over. Immutable once made.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "source/policy/address_index.h"
#include "source/policy/cidr_set.h"
#include "source/policy/guard.h"
#include "source/policy/name_index.h"
#include "source/policy/pattern.h"
#include "source/policy/spec.h"

namespace egret {

// The conditions of a rule, cheapest first.
enum class Group : uint8_t {
  kTime,
  kHost,
  kPort,
  kProtocol,
  kSources,
  kAssurance,
  kUsers,
  kGroups,
  kSpiffeIds,
  kNamespaces,
  kServiceAccounts,
  kClaims,
  kJa3,
  kJa4,
  kMethod,
  kResolved,
  kHeaders,
  kPath,
  kCount,
};

// Sorted text, searched in halves.
using Words = std::vector<std::string>;

struct PathRule {
  Words exact;
  Words prefixes;
  std::unique_ptr<const RE2> regex;  // all of them as alternatives; null: none
};

struct HeaderRule {
  std::string name;  // lower case
  Words values;      // empty: any
};

struct ClaimRule {
  std::string name;
  Words values;
};

struct CompiledRule {
  std::string name;
  std::string message;
  bool allows = false;
  bool audit = false;
  RuleSpec::Inspection inspection = RuleSpec::Inspection::kAuto;
  uint32_t groups = 0;  // which conditions it has: bits by Group. kHost is judged by the index
  int64_t not_before = std::numeric_limits<int64_t>::min();
  int64_t not_after = std::numeric_limits<int64_t>::max();
  std::vector<std::pair<uint16_t, uint16_t>> ports;  // ranges
  uint8_t protocols = 0;                             // bits by Protocol
  CidrSet sources;
  Assurance at_least = Assurance::kAny;
  Words users;
  Words identity_groups;
  Words spiffe_ids;
  Words spiffe_prefixes;  // with the slash that ends them
  Words namespaces;
  Words service_accounts;
  std::vector<ClaimRule> claims;
  Words ja3, ja4;
  Words methods;
  CidrSet resolved;
  std::vector<HeaderRule> headers;
  PathRule path;
  CidrSet reaches_private;
  bool without_sni = false;
  std::vector<DomainPattern> ech_outer_names;

  bool Has(Group group) const { return (groups >> static_cast<unsigned>(group) & 1u) != 0; }
};

// A set of rules by number.
using RuleBits = std::vector<uint64_t>;

struct CompiledPolicy {
  std::string name;
  bool abstains = false;               // Otherwise::kAbstain
  std::optional<int64_t> audit_until;  // only where the mode is AUDIT
  bool has_audit_rules = false;
  std::vector<CompiledRule> rules;
  RuleBits any_name;                                                  // rules that take every name
  RuleBits any_literal;                                               // rules that take every address literal
  std::unordered_map<uint32_t, std::vector<uint32_t>> by_name_group;  // rules that name the group
  std::unordered_map<uint32_t, std::vector<uint32_t>> by_address_group;

  bool Audited(int64_t now) const { return audit_until && now < *audit_until; }
};

struct Program {
  std::vector<std::unique_ptr<const CompiledPolicy>> policies;
  std::map<std::string, const CompiledPolicy*, std::less<>> by_name;
  NameIndex names;
  AddressIndex addresses;
  AddressGuard guard;
  bool uses_fingerprints = false;
  std::vector<int64_t> boundaries;  // rising: when a window or an audit begins or ends
};

}  // namespace egret
