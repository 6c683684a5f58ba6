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
#include "source/policy/policy.h"
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

// Shared by all programs in which the policy, and what the sets that it names are, is the same.
struct CompiledPolicy : std::enable_shared_from_this<CompiledPolicy> {
  std::string name;
  bool abstains = false;               // Otherwise::kAbstain
  std::optional<int64_t> audit_until;  // only where the mode is AUDIT
  bool has_audit_rules = false;
  std::vector<CompiledRule> rules;
  RuleBits any_name;                                                  // rules that take every name
  RuleBits any_literal;                                               // rules that take every address literal
  std::unordered_map<uint32_t, std::vector<uint32_t>> by_name_group;  // rules that name the group
  std::unordered_map<uint32_t, std::vector<uint32_t>> by_address_group;

  // What it adds to its program.
  std::vector<uint32_t> groups;                   // of its own: of names and of addresses
  std::vector<std::pair<Cidr, uint32_t>> ranges;  // address groups
  std::vector<std::string> sets;                  // that it names, each once
  std::vector<int64_t> boundaries;
  bool uses_fingerprints = false;

  bool Audited(int64_t now) const { return audit_until && now < *audit_until; }
};

// The numbers of groups. One is given out anew only when the list that had it is gone.
class GroupNumbers {
 public:
  uint32_t Take() {
    if (free_.empty()) return used_++;
    const uint32_t number = free_.back();
    free_.pop_back();
    return number;
  }
  void Free(uint32_t number) { free_.push_back(number); }
  size_t end() const { return used_; }  // all are below it

 private:
  uint32_t used_ = 0;
  std::vector<uint32_t> free_;
};

// A DomainSet is one group of the index, whoever refers to it, for as long as there is one of its name.
struct CompiledSet {
  uint32_t group = 0;
  std::vector<std::string> includes;
  std::vector<uint32_t> closure;  // itself and all that it includes, each once
};
using CompiledSets = std::unordered_map<std::string, CompiledSet>;

struct Program {
  std::vector<std::shared_ptr<const CompiledPolicy>> policies;
  std::map<std::string_view, const CompiledPolicy*> by_name;
  std::shared_ptr<const CompiledSets> sets;
  NameIndex names;
  std::shared_ptr<const AddressIndex> addresses;
  GroupNumbers groups;
  AddressGuard guard;
  bool uses_fingerprints = false;
  std::vector<int64_t> boundaries;  // rising: when a window or an audit begins or ends
  MadeOfPolicy made;
};

}  // namespace egret
