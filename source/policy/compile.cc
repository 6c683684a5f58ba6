#include "source/policy/compile.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "source/base/strings.h"
#include "source/policy/compile_rule.h"
#include "source/policy/match.h"
#include "source/policy/pattern.h"
#include "source/policy/program.h"

namespace egret {
namespace {

std::string At(std::string_view list, size_t index) { return Cat(list, '[', index, ']'); }

class Compiler {
 public:
  explicit Compiler(const PolicySetSpec& spec) : spec_(spec) {}

  Result<std::shared_ptr<const Policy>, std::vector<PolicyError>> Run() {
    Sets();
    for (size_t i = 0; i < spec_.policies.size(); ++i) AddPolicy(spec_.policies[i], At("policies", i));
    Guard();
    if (!errors_.empty()) return errors_.Take();
    program_->names.Freeze();
    program_->addresses.Freeze();
    auto& boundaries = program_->boundaries;
    std::sort(boundaries.begin(), boundaries.end());
    boundaries.erase(std::unique(boundaries.begin(), boundaries.end()), boundaries.end());
    return std::shared_ptr<const Policy>(std::make_shared<Policy>(std::move(program_)));
  }

 private:
  // A DomainSet is one group of the index, whoever refers to it; its number is its place in the list.
  void Sets() {
    for (size_t i = 0; i < spec_.domain_sets.size(); ++i) {
      const DomainSetSpec& set = spec_.domain_sets[i];
      if (set.name.empty()) errors_.Add(Cat(At("domain_sets", i), ".name"), "", "no name", "give it one");
      if (!set_by_name_.try_emplace(set.name, i).second)
        errors_.Add(Cat(At("domain_sets", i), ".name"), set.name, "a set of this name stands above", "rename one");
    }
    next_group_ = static_cast<uint32_t>(spec_.domain_sets.size());
    for (size_t i = 0; i < spec_.domain_sets.size(); ++i) {
      const DomainSetSpec& set = spec_.domain_sets[i];
      Names(set.domains, Cat(At("domain_sets", i), ".domains"), static_cast<uint32_t>(i));
      Names(set.file_domains, Cat(At("domain_sets", i), ".file"), static_cast<uint32_t>(i));
      for (size_t k = 0; k < set.includes.size(); ++k) CheckInclude(i, k);
    }
    Circles();
  }

  void Names(const std::vector<std::string>& list, std::string_view path, uint32_t group) {
    for (size_t i = 0; i < list.size(); ++i) {
      const auto pattern = ParsePattern(list[i]);
      if (pattern)
        program_->names.Add(*pattern, group);
      else
        errors_.Add(At(path, i), list[i], pattern.error());
    }
  }

  void CheckInclude(size_t set, size_t include) {
    const std::string& name = spec_.domain_sets[set].includes[include];
    if (set_by_name_.contains(name)) return;
    errors_.Add(At(Cat(At("domain_sets", set), ".includes"), include), name, "no such domain set", KnownSets());
  }

  std::string KnownSets() const {
    if (set_by_name_.empty()) return "there are none";
    std::string out = "known are";
    size_t left = 10;
    for (const auto& [name, index] : set_by_name_) {
      if (left-- == 0) return Cat(out, " ...");
      Append(out, ' ', name);
    }
    return out;
  }

  // Depth first without recursion: an include that is still open is a circle.
  void Circles() {
    enum class State : uint8_t { kNew, kOpen, kDone };
    std::vector<State> states(spec_.domain_sets.size(), State::kNew);
    for (size_t start = 0; start < states.size(); ++start) {
      if (states[start] != State::kNew) continue;
      std::vector<std::pair<size_t, size_t>> path = {{start, 0}};  // a set, and which include comes next
      states[start] = State::kOpen;
      while (!path.empty()) {
        auto& [set, next] = path.back();
        const auto& includes = spec_.domain_sets[set].includes;
        if (next == includes.size()) {
          states[set] = State::kDone;
          path.pop_back();
          continue;
        }
        const size_t at = next++;
        const auto included = set_by_name_.find(includes[at]);
        if (included == set_by_name_.end()) continue;
        if (states[included->second] == State::kOpen)
          errors_.Add(At(Cat(At("domain_sets", set), ".includes"), at), includes[at], "includes itself",
                      "break the circle");
        if (states[included->second] != State::kNew) continue;
        states[included->second] = State::kOpen;
        path.emplace_back(included->second, 0);
      }
    }
  }

  // A set and all that it includes.
  std::vector<uint32_t> Closure(size_t set) const {
    std::vector<uint32_t> out = {static_cast<uint32_t>(set)};
    std::vector<bool> seen(spec_.domain_sets.size());
    seen[set] = true;
    for (size_t i = 0; i < out.size(); ++i) {
      for (const std::string& name : spec_.domain_sets[out[i]].includes) {
        const auto at = set_by_name_.find(name);
        if (at == set_by_name_.end() || seen[at->second]) continue;
        seen[at->second] = true;
        out.push_back(static_cast<uint32_t>(at->second));
      }
    }
    return out;
  }

  void AddPolicy(const PolicySpec& spec, const std::string& path) {
    auto policy = std::make_unique<CompiledPolicy>();
    policy->name = spec.name;
    policy->abstains = spec.otherwise == PolicySpec::Otherwise::kAbstain;
    if (spec.name.empty()) errors_.Add(Cat(path, ".name"), "", "no name", "give it one");
    if (spec.mode == PolicySpec::Mode::kAudit) {
      if (!spec.audit_until)
        errors_.Add(Cat(path, ".audit_until"), "", "mode AUDIT without an end",
                    "write until when; then it is enforced");
      policy->audit_until = spec.audit_until.value_or(0);
      Boundary(spec.audit_until);
    }
    policy->any_name.resize((spec.rules.size() + 63) / 64);
    policy->any_literal = policy->any_name;
    std::map<std::string_view, size_t> names;
    for (size_t i = 0; i < spec.rules.size(); ++i) {
      const RuleSpec& rule = spec.rules[i];
      const std::string at = At(Cat(path, ".rules"), i);
      if (!names.try_emplace(rule.name, i).second)
        errors_.Add(Cat(at, ".name"), rule.name, "a rule of this name stands above", "rename one");
      policy->rules.push_back(CompileRule(rule, at, errors_));
      policy->has_audit_rules |= policy->rules.back().audit;
      program_->uses_fingerprints |= (policy->rules.back().groups & kFingerprintGroups) != 0;
      Hosts(*policy, rule, static_cast<uint32_t>(i), Cat(at, ".to"));
      Boundary(rule.not_before);
      if (rule.not_after) Boundary(*rule.not_after + 1);
    }
    if (!program_->by_name.try_emplace(spec.name, policy.get()).second)
      errors_.Add(Cat(path, ".name"), spec.name, "a policy of this name stands above", "rename one");
    program_->policies.push_back(std::move(policy));
  }

  void Boundary(std::optional<int64_t> at) {
    if (at) program_->boundaries.push_back(*at);
  }

  void Hosts(CompiledPolicy& policy, const RuleSpec& spec, uint32_t rule, const std::string& path) {
    const ToSpec& to = spec.to;
    const uint64_t bit = uint64_t{1} << rule % 64;
    CompiledRule& compiled = policy.rules[rule];
    const bool any = to.domains.empty() && to.domain_sets.empty() && to.cidrs.empty();
    if (any) policy.any_name[rule / 64] |= bit;
    if (any && !compiled.allows) policy.any_literal[rule / 64] |= bit;
    if (!any || compiled.allows) compiled.groups |= 1u << static_cast<unsigned>(Group::kHost);
    if (!to.domains.empty()) {
      Names(to.domains, Cat(path, ".domains"), next_group_);
      policy.by_name_group[next_group_++].push_back(rule);
    }
    if (!to.cidrs.empty()) {
      for (const Cidr& range : CompileCidrs(to.cidrs, Cat(path, ".cidrs"), errors_))
        program_->addresses.Add(range, next_group_);
      policy.by_address_group[next_group_++].push_back(rule);
    }
    for (size_t i = 0; i < to.domain_sets.size(); ++i) {
      const auto set = set_by_name_.find(to.domain_sets[i]);
      if (set == set_by_name_.end())
        errors_.Add(At(Cat(path, ".domain_sets"), i), to.domain_sets[i], "no such domain set", KnownSets());
      else
        for (const uint32_t group : Closure(set->second)) policy.by_name_group[group].push_back(rule);
    }
  }

  void Guard() {
    const AddressGuardSpec& guard = spec_.guard;
    auto also_refuse = CompileCidrs(guard.also_refuse, "guard.also_refuse", errors_);
    program_->guard = AddressGuard(std::move(also_refuse), guard.own, guard.local, guard.mixed_answers);
  }

  const PolicySetSpec& spec_;
  std::unique_ptr<Program> program_ = std::make_unique<Program>();
  PolicyErrors errors_;
  std::map<std::string_view, size_t> set_by_name_;
  uint32_t next_group_ = 0;
};

}  // namespace

Result<std::shared_ptr<const Policy>, std::vector<PolicyError>> Compile(const PolicySetSpec& spec) {
  return Compiler(spec).Run();
}

}  // namespace egret
